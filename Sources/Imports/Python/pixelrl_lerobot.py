"""Reads and writes datasets of LeRobot, with LeRobot's own library.

python pixelrl_lerobot.py read NAME FOLDER [KEY]   saves each episode as FOLDER/000000.npz, ..., and FOLDER/actions.json
python pixelrl_lerobot.py write DATASET FOLDER     makes the LeRobot dataset FOLDER of pixelrl's DATASET
"""

import json
import os
import sys

import numpy


def read(name, folder, key=None):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    if os.path.isdir(name):
        dataset = LeRobotDataset(f"local/{os.path.basename(os.path.abspath(name))}", root=name)
    else:
        dataset = LeRobotDataset(name)
    features = dataset.meta.features
    cameras = list(dataset.meta.camera_keys)
    if key is None and len(cameras) == 1:
        key = cameras[0]
    if key not in cameras:
        asked = f"no camera '{key}'" if key is not None else f"{len(cameras) or 'no'} cameras"
        sys.exit(f"the dataset has {asked}: choose one of {', '.join(cameras) or 'none'} with --frames-key")
    size = int(numpy.prod(features["action"]["shape"])) if "action" in features else 0
    with open(os.path.join(folder, "actions.json"), "w") as file:
        low, high = action_range(dataset, size)
        json.dump({"low": low, "high": high}, file)
    episode, index = [], None
    for row in range(len(dataset)):
        item = dataset[row]
        if index is not None and int(item["episode_index"]) != index:
            save(folder, index, episode, key)
            episode = []
        index = int(item["episode_index"])
        episode.append({name: item[name] for name in (key, "action", "next.reward", "next.done") if name in item})
    if episode:
        save(folder, index, episode, key)


def action_range(dataset, size):
    """The least and the largest action, but at least -1 to 1."""
    stats = (dataset.meta.stats or {}).get("action", {})
    low = numpy.minimum(numpy.ravel(stats.get("min", numpy.zeros(size))), -1.0)
    high = numpy.maximum(numpy.ravel(stats.get("max", numpy.zeros(size))), 1.0)
    return low.tolist(), high.tolist()


def save(folder, index, episode, key):
    """The action, reward and end of a row belong to the frame of that row.

    Datasets of pixelrl close an episode with a row of zeros, which is no action.
    """
    frames = [(255 * item[key].numpy().transpose(1, 2, 0)).round().astype(numpy.uint8) for item in episode]
    arrays = {"frames": numpy.stack(frames)}
    if "action" in episode[0]:
        arrays["actions"] = numpy.stack([numpy.ravel(item["action"].numpy()) for item in episode])
    if "next.reward" in episode[0]:
        arrays["rewards"] = numpy.array([float(item["next.reward"]) for item in episode])
    if "next.done" in episode[0]:
        arrays["discounts"] = numpy.array([1.0 - float(item["next.done"]) for item in episode])
        if any(arrays[name][-1].any() for name in ("actions", "rewards") if name in arrays):
            arrays["terminals"] = arrays["discounts"] == 0
    numpy.savez(os.path.join(folder, f"{index:06}.npz"), **arrays)


def write(dataset, folder):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    names = ("frames", "states", "actions", "rewards", "discounts", "episodes")
    arrays = {name: numpy.load(os.path.join(dataset, f"{name}.npy"), mmap_mode="r") for name in names}
    facts = json.load(sys.stdin)
    shape, actions, states = arrays["frames"].shape[1:], arrays["actions"].shape[1], arrays["states"].shape[1]
    features = {
        "observation.image": {"dtype": "image", "shape": (*shape[:2], 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (actions,), "names": [f"action {i}" for i in range(actions)]},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
    }
    if states:
        features["observation.state"] = {"dtype": "float32", "shape": (states,), "names": facts["states"]}
    made = LeRobotDataset.create(
        f"local/{os.path.basename(os.path.abspath(folder))}", fps=facts["fps"], root=folder, features=features,
        use_videos=False)  # a video would change the frames
    episodes = arrays["episodes"]
    for row in range(len(episodes)):
        frame = numpy.array(arrays["frames"][row])
        item = {
            "observation.image": numpy.repeat(frame, 3, axis=2) if shape[2] == 1 else frame,
            "action": numpy.array(arrays["actions"][row], numpy.float32),
            "next.reward": numpy.array([arrays["rewards"][row]], numpy.float32),
            "next.done": numpy.array([arrays["discounts"][row] == 0]),
            "task": facts["description"],
        }
        if states:
            item["observation.state"] = numpy.array(arrays["states"][row], numpy.float32)
        made.add_frame(item)
        if row + 1 == len(episodes) or episodes[row + 1] != episodes[row]:
            made.save_episode()
    if hasattr(made, "finalize"):
        made.finalize()


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
