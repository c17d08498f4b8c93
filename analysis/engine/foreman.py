"""The foreman: loads torch once, then forks a worker for every line it is handed. `python -m analysis.engine.foreman FD`."""

import os
import signal
import socket
import sys
from multiprocessing.connection import Connection


def main(fd: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; it hangs up on us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the workers
    import torch  # noqa: F401  what makes forking worth it

    from analysis.engine.worker import work

    line = socket.socket(fileno=fd)
    while True:
        message, fds, _, _ = socket.recv_fds(line, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                work(Connection(fds[0]))
            finally:
                sys.stderr.flush()
                os._exit(0)
        os.close(fds[0])


if __name__ == "__main__":
    main(int(sys.argv[1]))
