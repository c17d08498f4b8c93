"""What every refusal of bad input must be."""

import pytest

from analysis.errors import InputError


def refused(call, *words):
    """The call is refused as bad input; the message and hint together hold all the words."""
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.hint
    for word in words:
        assert word in str(caught.value)
    return caught.value
