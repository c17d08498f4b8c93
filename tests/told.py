"""What a unit of work is run with in tests."""

from analysis.errors import Cancelled


class Told:
    """A context that remembers what it was told, and cancels when asked to."""

    def __init__(self, cancel_at: str = "never"):
        self.notes, self.cancel_at = [], cancel_at

    def progress(self, done, total, note=""):
        assert 0 <= done <= total
        self.notes.append(note)
        if self.cancel_at in note:
            raise Cancelled
