"""The one exception that bad input may raise."""


class InputError(ValueError):
    """What was wrong with an input (name, shape, offending rows), and in `hint` what to do about it."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self):  # so that a worker process can hand it over whole
        return type(self), (self.message, self.hint)


class Cancelled(Exception):
    """Raised inside a unit of work by `ctx.progress` once its run was cancelled."""
