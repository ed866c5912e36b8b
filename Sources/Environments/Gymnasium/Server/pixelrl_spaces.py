"""Describes action spaces to the parent, decodes its actions, and flattens observations to numbers."""


class Refusal(Exception):
    """The environment cannot be used. `kind` is `input` (wrong input) or `world` (for example, a missing package)."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


# The maximum number of actions of a Discrete space, and of a combination of several.
MOST_CHOICES, MOST_COMBINATIONS = 65536, 4096
# From the first value on, a bound counts as infinite. From the second on, floats do not represent all whole numbers.
BOUNDLESS, MOST_WHOLE = 1e30, 2.0**53


def action_space(spaces, space):
    """Returns the description of the actions for the parent, and a function that decodes the parent's actions."""
    if isinstance(space, spaces.Discrete):
        count, start = int(space.n), int(space.start)
        if count > MOST_CHOICES:
            raise Refusal("input", f"its actions {space} are more than the {MOST_CHOICES} choices that pixelrl supports")
        return {"count": count}, lambda numbers: start + int(numbers[0])
    if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        return product_space(space, isinstance(space, spaces.MultiBinary))
    if isinstance(space, spaces.Box):
        return box_space(space)
    raise Refusal(
        "input",
        f"its actions {space} are not Discrete, MultiDiscrete, MultiBinary or Box: pixelrl does not support them",
    )


def product_space(space, is_binary):
    """Combines several discrete actions into one number. They are its digits, the first one the lowest."""
    radices, starts = [2] * flat_count(space.shape), None
    if not is_binary:
        radices = [int(n) for n in flat_numbers(space.nvec)]
        # Gymnasium 1.0 has no `start`.
        starts = getattr(space, "start", None)
    starts = [0] * len(radices) if starts is None else [int(x) for x in flat_numbers(starts)]
    count = 1
    for radix in radices:
        count *= radix
    if count > MOST_COMBINATIONS:
        raise Refusal(
            "input",
            f"its actions {space} have {count} combinations, more than the {MOST_COMBINATIONS} that pixelrl supports: "
            "register it with gymnasium.wrappers.TransformAction around it, with fewer actions or a Box of thresholds",
        )
    if not radices:
        raise Refusal("input", f"its actions {space} are empty: there is nothing to choose")
    made = array_of(space)

    def chosen(numbers):
        index, digits = int(numbers[0]), []
        for radix, start in zip(radices, starts):
            index, digit = divmod(index, radix)
            digits.append(start + digit)
        return made(digits)

    return {"count": count}, chosen


def box_space(space):
    """Numbers between bounds. Integers and booleans are drawn from a range 0.5 wider on each side and rounded, so that all
    of them are equally likely: 0 to 1 is drawn from -0.5 to 1.5."""
    low, high = flat_numbers(space.low), flat_numbers(space.high)
    is_whole = any(kind in str(space.dtype) for kind in ("int", "bool"))
    if not low:
        raise Refusal("input", f"its actions {space} are empty: there is nothing to choose")
    if not is_bounded(space, low, high, MOST_WHOLE if is_whole else BOUNDLESS):
        raise Refusal(
            "input",
            f"its actions {space} have no bounds: give its action space finite bounds, or register it with "
            "gymnasium.wrappers.RescaleAction around it",
        )
    made = array_of(space)
    margins = [0.5 if is_whole and a < b else 0.0 for a, b in zip(low, high)]

    def chosen(numbers):
        if is_whole:
            numbers = map(round, numbers)
        # The no-op action, 0, may be out of bounds.
        return made([min(max(number, a), b) for number, a, b in zip(numbers, low, high)])

    return {
        "low": [a - margin for a, margin in zip(low, margins)],
        "high": [b + margin for b, margin in zip(high, margins)],
    }, chosen


def is_bounded(space, low, high, limit):
    # A Box of integers without bounds has the limits of its type in `low` and `high`, so check these flags too.
    flags = [getattr(space, name, None) for name in ("bounded_below", "bounded_above")]
    return all(flag is None or flag.all() for flag in flags) and all(abs(x) < limit for x in low + high)


def array_of(space):
    """Returns a function that converts a list of numbers to an array of the space."""
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
    """Returns the numbers of anything with a shape as a flat list."""
    return [float(x) for x in (array if len(array.shape) == 1 else array.ravel()).tolist()]


def one_number(value, name):
    """Returns a number that is given as a scalar or as an array with one element."""
    inner = value
    while isinstance(inner, (list, tuple)) and len(inner) == 1:
        inner = inner[0]
    if getattr(inner, "shape", ()) and flat_count(inner.shape) == 1:
        inner = inner.item()
    try:
        return float(inner)
    except (TypeError, ValueError):
        raise TypeError(f"{name} {value!r} is not a single number") from None


def is_true(value, name):
    """Like `one_number`, for a boolean. None counts as false."""
    return value is not None and one_number(value, name) != 0


def flattening(spaces, space):
    """Returns a function that flattens an observation to numbers, or None if its length varies or is too large."""
    if isinstance(space, spaces.Box):
        return flat_numbers
    try:
        from gymnasium.spaces import flatdim, flatten

        if 0 < flatdim(space) <= 4096:
            return lambda observation: flat_numbers(flatten(space, observation))
    except (ImportError, NotImplementedError, ValueError, TypeError):
        pass  # for example, text spaces
    return None


def fitted(spaces, space, observation):
    """Checks an observation against its space. Lists are converted to arrays."""
    if not isinstance(space, spaces.Box):
        return observation
    if isinstance(observation, (list, tuple, int, float)):
        import numpy

        observation = numpy.asarray(observation, space.dtype)
    shape = getattr(observation, "shape", None)
    if shape is None or tuple(shape) != tuple(space.shape):
        raise ValueError(f"an observation has shape {shape}, but its space has {tuple(space.shape)}")
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
