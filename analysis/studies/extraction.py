"""The unit of work behind every "extract" button."""

from analysis.extraction import VERSION, extract
from analysis.extraction import key as stored_key


def extraction(inputs: dict, options: dict, ctx):
    """{"model", "dataset"} with {"layers", "pooling", "batch_size", "device"} -> the Representation, in the store."""
    yield extract(inputs["model"], inputs["dataset"], progress=ctx.progress, **options)


def _key(inputs: dict, options: dict) -> str:
    chosen = {name: options[name] for name in ("layers", "pooling") if name in options}
    return stored_key(inputs["model"].resolve(), inputs["dataset"], **chosen)  # a Ref has the digest, which is all that counts


extraction.VERSION = VERSION
extraction.key = _key
