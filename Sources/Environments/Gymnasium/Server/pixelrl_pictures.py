"""Converts what an environment renders or observes to pictures: bytes [H, W] or [H, W, channels]."""

TAKEN = (
    "pixelrl needs an array [height, width], [height, width, 3] or [3, height, width] of uint8, of floats from 0 to 1 or "
    "of bool"
)


class PictureError(ValueError):
    """The value is not a picture. The message says which arrays are accepted."""

    def __init__(self, what):
        super().__init__(f"its picture is {what}: {TAKEN}")


def picture(drawn):
    """Returns a rendered picture as uint8 [H, W], [H, W, 1] or [H, W, 3]."""
    if isinstance(drawn, (list, tuple)):
        drawn = newest(drawn)
    if is_bytes(drawn) and has_channels_last(drawn.shape) and drawn.shape[-1] != 4:
        return drawn
    import numpy

    array = numpy.asarray(drawn)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise PictureError("None" if drawn is None else f"of shape {array.shape}")
    if not has_channels_last(array.shape):
        if array.shape[0] not in (1, 3, 4):
            raise PictureError(f"of shape {array.shape}")
        array = array.transpose(1, 2, 0)
    # Drop the alpha channel.
    array = array[..., :3] if array.ndim == 3 and array.shape[2] == 4 else array
    return numpy.ascontiguousarray(as_bytes(numpy, array))


def is_bytes(drawn):
    kind = getattr(drawn, "dtype", None) or getattr(drawn, "format", None)
    return hasattr(drawn, "shape") and len(drawn.shape) in (2, 3) and 0 not in drawn.shape and str(kind) in ("uint8", "B")


def has_channels_last(shape):
    return len(shape) == 2 or shape[2] in (1, 3, 4)


def newest(drawn):
    """Returns the last of a list of pictures, or the array for a list of rows."""
    shapes = {getattr(each, "shape", None) for each in drawn}
    if len(shapes) == 1 and None not in shapes and len(next(iter(shapes))) > 1:
        return drawn[-1]
    import numpy

    try:
        return numpy.asarray(drawn)
    except ValueError:
        raise PictureError(f"a {type(drawn).__name__} of parts with different shapes") from None


def as_bytes(numpy, array):
    kind = array.dtype.kind
    if array.dtype == numpy.uint8:
        return array
    if kind == "b":
        return array * numpy.uint8(255)
    lowest, highest = array.min(), array.max()
    if kind == "f":
        scaled = numpy.rint(array * 255.0)
        # Written such that NaN fails too.
        if not (scaled.min() >= 0 and scaled.max() <= 255):
            raise PictureError(f"of floats from {lowest} to {highest}")
        return scaled.astype(numpy.uint8)
    # The maximum of a 16-bit image could be 255 or 65535, so such images are rejected.
    if kind in "iu" and array.dtype.itemsize != 2 and lowest >= 0 and highest <= 255:
        return array.astype(numpy.uint8)
    raise PictureError(f"of {array.dtype}" + (f" from {lowest} to {highest}" if kind in "iu" else ""))


def shape_of(frame):
    shape = tuple(int(side) for side in frame.shape)
    return shape + (1,) if len(shape) == 2 else shape


# MARK: - Observations that are pictures


def is_image(spaces, space):
    """Returns whether a space has bytes [H, W] or [H, W, channels], large enough for a picture rather than a cell map."""
    if not isinstance(space, spaces.Box) or "uint8" not in str(space.dtype):
        return False
    shape = space.shape
    channels = 1 if len(shape) == 2 else shape[2] if len(shape) == 3 else 0
    return channels in (1, 3) and min(shape[:2]) >= 16


def could_be_image(spaces, space):
    """Like `is_image`, but with any order of axes, and also for floats from 0 to 1 and for booleans."""
    if not isinstance(space, spaces.Box) or len(space.shape) not in (2, 3):
        return False
    shape, kind = tuple(space.shape), str(space.dtype)
    sides = shape if len(shape) == 2 else shape[:2] if has_channels_last(shape) else shape[1:]
    if len(shape) == 3 and not has_channels_last(shape) and shape[0] not in (1, 3, 4):
        return False
    is_unit = "float" in kind and (space.low >= 0).all() and (space.high <= 1).all()
    return min(sides) >= 16 and ("uint8" in kind or "bool" in kind or bool(is_unit))


def image_in(spaces, space):
    """Returns a function that extracts the only image from an observation, or None if there is not exactly one."""
    found = []

    def search(space, take):
        if could_be_image(spaces, space):
            found.append(take)
        for key, part in parts(space):
            search(part, lambda observation, key=key: take(observation)[key])

    search(space, lambda observation: observation)
    return found[0] if len(found) == 1 else None


def parts(space):
    inner = getattr(space, "spaces", None)
    if inner is None:
        return []
    return list(inner.items()) if hasattr(inner, "items") else list(enumerate(inner))
