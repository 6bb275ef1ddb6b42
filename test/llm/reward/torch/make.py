"""Writes losses.json beside this file: PyTorch's losses and gradients, which ours must match.

    OPENBLAS_NUM_THREADS=1 /usr/bin/python3 test/llm/reward/torch/make.py

Needs Debian's python3-torch (1.13.1) and libopenblas0-pthread. All in f64 from random inputs that
were rounded to f32 first. The pairs of a prompt are written as the papers do, prompt by prompt,
with torch's own logsigmoid.
"""

import json
from itertools import combinations
from pathlib import Path

import torch
import torch.nn.functional as F

R, T, C = 7, 5, 6
# Grade of each answer; equal grades are ties. The last row of the batch belongs to nobody.
PROMPTS = [{"rows": [0, 1, 2, 3], "grades": [1, 3, 1, 2]}, {"rows": [4, 5], "grades": [0, 2]}]
LAST = [4, 2, 0, 3, 1, 4, 0]


def random(*shape, scale=1.0):
    return (torch.randn(*shape, dtype=torch.float64) * scale).float().double()


def prompt_loss(rewards, prompt, margin_scale, centring, smoothing):
    terms = []
    pairs = []
    for (a, ga), (b, gb) in combinations(zip(prompt["rows"], prompt["grades"]), 2):
        if ga == gb:
            continue
        won, lost = (a, b) if ga > gb else (b, a)
        margin = margin_scale * abs(ga - gb)
        z = rewards[won] - rewards[lost] - margin
        term = -(1 - smoothing) * F.logsigmoid(z) - smoothing * F.logsigmoid(-z)
        terms.append(term + centring * (rewards[won] + rewards[lost]) ** 2)
        pairs.append([won, lost, abs(ga - gb)])
    return torch.stack(terms).mean(), pairs


def run(name, hidden_scale=1.0, margin_scale=0.0, centring=0.0, smoothing=0.0):
    leaves = {
        "hidden": random(R * T, C, scale=hidden_scale).requires_grad_(),
        "weight": random(1, C).requires_grad_(),
        "bias": random(1).requires_grad_(),
    }
    rows = leaves["hidden"].view(R, T, C)[torch.arange(R), torch.tensor(LAST)]
    rewards = F.linear(rows, leaves["weight"], leaves["bias"])[:, 0]
    rewards.retain_grad()
    found = [prompt_loss(rewards, p, margin_scale, centring, smoothing) for p in PROMPTS]
    loss = sum(one for one, _ in found)
    loss.backward()
    flat = lambda tensor: tensor.detach().flatten().tolist()
    return {
        "name": name,
        "options": {"margin": margin_scale, "centring": centring, "labelSmoothing": smoothing},
        "pairs": [pairs for _, pairs in found],
        "inputs": {key: flat(value) for key, value in leaves.items()},
        "rewards": flat(rewards),
        "loss": loss.item(),
        "gradients": {key: flat(value.grad) for key, value in leaves.items()},
    }


torch.manual_seed(4)
cases = [
    run("plain"),
    run("margins", margin_scale=0.7),
    run("centring", centring=0.05),
    run("label smoothing", smoothing=0.1),
    run("all of them", margin_scale=1 / 3, centring=0.01, smoothing=0.05),
    run("rewards in the hundreds", hidden_scale=100.0, margin_scale=1.0),
]
shape = {"R": R, "T": T, "C": C, "last": LAST}
path = Path(__file__).with_name("losses.json")
path.write_text(json.dumps({"torch": torch.__version__, "shape": shape, "cases": cases}) + "\n")
