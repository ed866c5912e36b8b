"""Reads and writes datasets of Minari, with Minari's own library.

python pixelrl_minari.py read NAME FOLDER [KEY]   saves each episode as FOLDER/000000.npz, ..., and FOLDER/actions.json
python pixelrl_minari.py write DATASET FOLDER     makes the Minari dataset FOLDER of pixelrl's DATASET
"""

import json
import os
import sys

import gymnasium
import numpy


def read(name, folder, key=None):
    import minari

    if os.path.isdir(name):
        dataset = minari.MinariDataset(os.path.join(name, "data"))
    else:
        dataset = minari.load_dataset(name, download=name not in minari.list_local_datasets())
    with open(os.path.join(folder, "actions.json"), "w") as file:
        json.dump(described(dataset.spec.action_space), file)
    for index, episode in enumerate(dataset.iterate_episodes()):
        numpy.savez(
            os.path.join(folder, f"{index:06}.npz"),
            frames=frames(episode.observations, key),
            actions=numpy.asarray(episode.actions).reshape(len(episode.rewards), -1),
            rewards=numpy.asarray(episode.rewards, dtype=numpy.float64),
            discounts=1.0 - numpy.asarray(episode.terminations, dtype=numpy.float64),
        )


def frames(observations, key):
    """The frames of an episode: its observations, or an array of a dictionary of observations."""
    if key is not None:
        for part in key.split("/"):
            if not isinstance(observations, dict) or part not in observations:
                sys.exit(f"the observations have no '{key}': choose one of {names(observations)} with --frames-key")
            observations = observations[part]
    while isinstance(observations, dict):
        images = [name for name, value in observations.items() if isinstance(value, dict) or is_image(value)]
        if len(images) != 1:
            sys.exit(
                f"the observations have {len(images) or 'no'} pictures: "
                f"choose one of {names(observations)} with --frames-key"
            )
        observations = observations[images[0]]
    if not is_image(observations):
        sys.exit(
            "the observations are not pictures, which are arrays of bytes [H, W] or [H, W, 1 or 3]; "
            f"they are {names(observations)}"
        )
    return numpy.asarray(observations)


def is_image(value):
    return isinstance(value, numpy.ndarray) and value.dtype == numpy.uint8 and value.ndim in (3, 4)


def names(observations):
    if isinstance(observations, dict):
        return ", ".join(f"{name} ({names(value)})" for name, value in observations.items())
    array = numpy.asarray(observations)
    return f"{array.dtype} {list(array.shape[1:])}"


def described(space):
    if isinstance(space, gymnasium.spaces.Discrete) and space.start == 0:
        return {"count": int(space.n)}
    if isinstance(space, gymnasium.spaces.Box):
        return {"low": space.low.ravel().tolist(), "high": space.high.ravel().tolist()}
    sys.exit(f"the actions {space} are neither numbers (Box) nor choices from 0 (Discrete)")


def write(dataset, folder):
    import minari
    from minari.data_collector import EpisodeBuffer

    parent, name = os.path.split(os.path.abspath(folder))
    os.environ["MINARI_DATASETS_PATH"] = parent
    arrays = {
        name: numpy.load(os.path.join(dataset, f"{name}.npy"), mmap_mode="r")
        for name in ("frames", "states", "actions", "rewards", "discounts", "episodes")
    }
    facts = json.load(sys.stdin)
    space = facts["actions"]
    if "count" in space:
        action_space = gymnasium.spaces.Discrete(space["count"])
    else:
        low, high = (numpy.array(space[bound], numpy.float32) for bound in ("low", "high"))
        action_space = gymnasium.spaces.Box(low, high, dtype=numpy.float32)
    observation_space = gymnasium.spaces.Box(0, 255, arrays["frames"].shape[1:], numpy.uint8)
    episodes = []
    starts = numpy.flatnonzero(numpy.diff(arrays["episodes"], prepend=-1))
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], len(arrays["episodes"])])):
        steps = slice(start, end - 1)  # the last frame has no action
        if end - start < 2:
            continue
        terminations = arrays["discounts"][steps] == 0
        truncations = numpy.zeros(end - start - 1, dtype=bool)
        truncations[-1] = not terminations[-1]
        actions = numpy.array(arrays["actions"][steps])
        episodes.append(
            EpisodeBuffer(
                id=index,
                seed=None,
                observations=numpy.array(arrays["frames"][start:end]),
                actions=actions[:, 0].astype(numpy.int64) if "count" in space else actions,
                rewards=arrays["rewards"][steps].tolist(),
                terminations=terminations.tolist(),
                truncations=truncations.tolist(),
                infos={"state": numpy.array(arrays["states"][start:end])} if arrays["states"].shape[1] else {},
            )
        )
    minari.create_dataset_from_buffers(
        name,
        episodes,
        observation_space=observation_space,
        action_space=action_space,
        description=facts["description"],
        algorithm_name=facts["policy"],
        requirements=[],
        jpeg_encoding=False,  # JPEG would change the frames
    )


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
