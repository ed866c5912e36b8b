#!/bin/sh
# Makes two datasets in runs/offline-data. mixed: the frames, actions and rewards of a replay buffer after 50,000 simulator steps of
# cartpole-swingup. The first 20,000 are random play, the rest are those of a SAC agent while it learns.
set -e
data=runs/offline-data
pixelrl pretrain-ae --env cartpole-swingup --seed 10 --threads 1 --out $data/autoencoder
# The replay buffer of this place stores frames.
pixelrl train --env cartpole-swingup --seed 10 --threads 1 --encoder rounds --autoencoder $data/autoencoder \
  --env-steps 50000 --out $data/sac
pixelrl export $data/sac --dataset --out $data/mixed
# Episodes of that agent alone, as it was at the end, without noise.
pixelrl collect --env cartpole-swingup --policy-run $data/sac --seed 10 --collect-steps 2500 --out $data/narrow
