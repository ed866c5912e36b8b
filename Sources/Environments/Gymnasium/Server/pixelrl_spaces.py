"""Spaces of Gymnasium: what the parent is told of actions, what turns its numbers into one, and values as numbers."""


class Refusal(Exception):
    """The environment cannot be played: `kind` is `input` (something to type) or `world` (such as something to install)."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


# Of one Discrete space, and of several choices together.
MOST_CHOICES, MOST_COMBINATIONS = 65536, 4096
# From here on a bound stands for none, and whole numbers are no longer told apart.
BOUNDLESS, MOST_WHOLE = 1e30, 2.0**53


def action_space(spaces, space):
    """What the parent is told of the actions, and what turns its numbers into one."""
    if isinstance(space, spaces.Discrete):
        count, start = int(space.n), int(space.start)
        if count > MOST_CHOICES:
            raise Refusal("input", f"its actions {space} are more than the {MOST_CHOICES} choices that pixelrl takes")
        return {"count": count}, lambda numbers: start + int(numbers[0])
    if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        return product_space(space, isinstance(space, spaces.MultiBinary))
    if isinstance(space, spaces.Box):
        return box_space(space)
    raise Refusal(
        "input",
        f"its actions {space} are neither Discrete, MultiDiscrete, MultiBinary nor Box: pixelrl cannot choose such",
    )


def product_space(space, is_binary):
    """Several discrete actions at once as one, a number whose digits they are, the first the lowest."""
    radices, starts = [2] * flat_count(space.shape), None
    if not is_binary:
        radices = [int(n) for n in flat_numbers(space.nvec)]
        # Gymnasium 1.0 has none.
        starts = getattr(space, "start", None)
    starts = [0] * len(radices) if starts is None else [int(x) for x in flat_numbers(starts)]
    count = 1
    for radix in radices:
        count *= radix
    if count > MOST_COMBINATIONS:
        raise Refusal(
            "input",
            f"its actions {space} make {count} choices together, more than the {MOST_COMBINATIONS} that pixelrl takes: "
            "register it with gymnasium.wrappers.TransformAction around it, which makes fewer of them, or gives it a Box of "
            "thresholds",
        )
    if not radices:
        raise Refusal("input", f"its actions {space} have no coordinate: there is nothing to choose")
    made = array_of(space)

    def chosen(numbers):
        index, digits = int(numbers[0]), []
        for radix, start in zip(radices, starts):
            index, digit = divmod(index, radix)
            digits.append(start + digit)
        return made(digits)

    return {"count": count}, chosen


def box_space(space):
    """Numbers between bounds. Of whole ones and truth values, each is as wide as another: 0 to 1 is drawn from -0.5 to 1.5
    and rounded."""
    low, high = flat_numbers(space.low), flat_numbers(space.high)
    is_whole = any(kind in str(space.dtype) for kind in ("int", "bool"))
    if not low:
        raise Refusal("input", f"its actions {space} have no coordinate: there is nothing to choose")
    if not is_bounded(space, low, high, MOST_WHOLE if is_whole else BOUNDLESS):
        raise Refusal(
            "input",
            f"its actions {space} have no bounds: register it with gymnasium.wrappers.RescaleAction around it, or "
            "give its action space finite ones",
        )
    made = array_of(space)
    margins = [0.5 if is_whole and a < b else 0.0 for a, b in zip(low, high)]

    def chosen(numbers):
        if is_whole:
            numbers = map(round, numbers)
        # Doing nothing, 0, may be out of bounds.
        return made([min(max(number, a), b) for number, a, b in zip(numbers, low, high)])

    return {
        "low": [a - margin for a, margin in zip(low, margins)],
        "high": [b + margin for b, margin in zip(high, margins)],
    }, chosen


def is_bounded(space, low, high, limit):
    # A Box of whole numbers says so here, and has the least and the greatest of its type as bounds.
    flags = [getattr(space, name, None) for name in ("bounded_below", "bounded_above")]
    return all(flag is None or flag.all() for flag in flags) and all(abs(x) < limit for x in low + high)


def array_of(space):
    """What turns a list of numbers into an array of a space."""
    try:
        import numpy
    except ImportError:
        return list
    return lambda numbers: numpy.array(numbers, space.dtype).reshape(space.shape)


def flat_count(shape):
    count = 1
    for side in shape:
        count *= int(side)
    return count


def flat_numbers(array):
    """The numbers of anything that has a shape."""
    return [float(x) for x in (array if len(array.shape) == 1 else array.ravel()).tolist()]


def one_number(value, name):
    """A number that stands alone or in an array of one."""
    inner = value
    while isinstance(inner, (list, tuple)) and len(inner) == 1:
        inner = inner[0]
    if getattr(inner, "shape", ()) and flat_count(inner.shape) == 1:
        inner = inner.item()
    try:
        return float(inner)
    except (TypeError, ValueError):
        raise TypeError(f"{name} {value!r} is not one number") from None


def is_true(value, name):
    """The same of a truth value; None is taken for false."""
    return value is not None and one_number(value, name) != 0


def flattening(spaces, space):
    """What turns an observation into numbers; None where it has no fixed length, or too many."""
    if isinstance(space, spaces.Box):
        return flat_numbers
    try:
        from gymnasium.spaces import flatdim, flatten

        if 0 < flatdim(space) <= 4096:
            return lambda observation: flat_numbers(flatten(space, observation))
    except (ImportError, NotImplementedError, ValueError, TypeError):
        pass  # such as texts
    return None


def fitted(spaces, space, observation):
    """An observation that is what its space says; one of lists becomes an array."""
    if not isinstance(space, spaces.Box):
        return observation
    if isinstance(observation, (list, tuple, int, float)):
        import numpy

        observation = numpy.asarray(observation, space.dtype)
    shape = getattr(observation, "shape", None)
    if shape is None or tuple(shape) != tuple(space.shape):
        raise ValueError(f"an observation of shape {shape} where its space says {tuple(space.shape)}")
    return observation


def leaves(value):
    if isinstance(value, dict):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from leaves(part)
    else:
        yield value
