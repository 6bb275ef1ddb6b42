"""Writes losses.json beside this file: PyTorch's losses and gradients, which ours must match.

    OPENBLAS_NUM_THREADS=1 /usr/bin/python3 test/llm/rl/torch/make.py

Needs Debian's python3-torch (1.13.1) and libopenblas0-pthread. All in f64 from random inputs that
were rounded to f32 first. The formulas are those of the papers, written for whole sequences with
boolean masks, so that they share nothing with the code under test but the mathematics.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

B, T, GROUP = 4, 7, 2
LOW, HIGH, CLIP_VALUE, GAMMA, LAMBDA = 0.2, 0.28, 0.15, 0.97, 0.9
BETA, SMOOTHING, MAX_TOKENS = 0.3, 0.1, 8


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def random(*shape, scale=1.0):
    return (torch.randn(*shape, dtype=torch.float64) * scale).float().double()


def masked_mean(x, mask):
    return (x * mask).sum() / mask.sum()


def clipped(logprobs, old, advantages):
    ratio = torch.exp(logprobs - old)
    bounded = torch.clamp(ratio, 1 - LOW, 1 + HIGH)
    return torch.maximum(-advantages * ratio, -advantages * bounded), ratio, bounded


def gae(rewards, values, mask):
    """By the definition: A_t = sum over later choices of (γλ)^k δ, choices only."""
    advantages = torch.zeros_like(rewards)
    for b in range(B):
        at = [t for t in range(T) if mask[b, t]]
        v = [values[b, t] for t in at] + [torch.tensor(0.0, dtype=torch.float64)]
        deltas = [rewards[b, t] + GAMMA * v[i + 1] - v[i] for i, t in enumerate(at)]
        for i, t in enumerate(at):
            advantages[b, t] = sum((GAMMA * LAMBDA) ** k * d for k, d in enumerate(deltas[i:]))
    return advantages, torch.where(mask.bool(), advantages + values, torch.zeros_like(values))


def with_gradients(loss, **leaves):
    found = torch.autograd.grad(loss, list(leaves.values()), retain_graph=True)
    named = {f"d_{name}": numbers(g) for name, g in zip(leaves, found)}
    return {"loss": loss.item(), **named}


def main():
    torch.manual_seed(7)
    torch.set_num_threads(1)
    mask = torch.tensor(
        [[0, 0, 1, 1, 1, 1, 0], [0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]]
    ).double()
    logprobs = (-random(B, T).abs() * mask).requires_grad_()
    old = (logprobs.detach() + random(B, T, scale=0.3)).float().double() * mask
    reference = (logprobs.detach() + random(B, T, scale=0.4)).float().double() * mask
    values = random(B, T).requires_grad_()
    old_values = (values.detach() + random(B, T, scale=0.3)).float().double() * mask
    rewards = random(B)
    out = {
        "shape": {"B": B, "T": T, "group": GROUP},
        "options": {
            "low": LOW, "high": HIGH, "clipValue": CLIP_VALUE, "gamma": GAMMA, "lambda": LAMBDA,
            "beta": BETA, "labelSmoothing": SMOOTHING, "maxTokens": MAX_TOKENS,
        },
        "inputs": {
            "mask": numbers(mask), "logprobs": numbers(logprobs), "oldLogprobs": numbers(old),
            "referenceLogprobs": numbers(reference), "values": numbers(values),
            "oldValues": numbers(old_values), "rewards": numbers(rewards),
        },
        "versions": {"torch": torch.__version__, "seed": 7},
    }

    # PPO: KL in the rewards, GAE, whitening, clipping of ratio and values.
    token_rewards = -BETA * (old - reference) * mask
    for b in range(B):
        token_rewards[b, int(mask[b].nonzero()[-1])] += rewards[b]
    advantages, returns = gae(token_rewards, old_values, mask)
    chosen = advantages[mask.bool()]
    white = torch.where(
        mask.bool(),
        (advantages - chosen.mean()) / torch.sqrt(chosen.var(unbiased=False) + 1e-8),
        torch.zeros_like(advantages),
    )
    losses, ratio, bounded = clipped(logprobs, old, white)
    policy = masked_mean(losses, mask)
    near = old_values + torch.clamp(values - old_values, -CLIP_VALUE, CLIP_VALUE)
    value = 0.5 * masked_mean(torch.maximum((values - returns) ** 2, (near - returns) ** 2), mask)
    log_ratio = logprobs - old
    out["ppo"] = {
        "tokenRewards": numbers(token_rewards), "advantages": numbers(advantages),
        "returns": numbers(returns), "whitened": numbers(white),
        "policy": with_gradients(policy, logprobs=logprobs),
        "value": with_gradients(value, values=values),
        "clipped": masked_mean((-white * ratio < -white * bounded).double(), mask).item(),
        "ratio": masked_mean(ratio, mask).item(),
        "k1": masked_mean(-log_ratio, mask).item(),
        "k3": masked_mean(ratio - 1 - log_ratio, mask).item(),
    }

    # GRPO with its three ways to average, KL in the loss.
    groups = rewards.view(-1, GROUP)
    centred = groups - groups.mean(1, keepdim=True)
    standard = (centred / (groups.std(1, keepdim=True) + 1e-4)).view(-1)
    d = reference - logprobs
    lengths = mask.sum(1)
    out["grpo"] = {"standard": numbers(standard), "mean": numbers(centred)}
    for kind, sample in (("grpo", standard), ("dr_grpo", centred.reshape(-1)), ("dapo", standard)):
        per_token, _, _ = clipped(logprobs, old, sample.view(-1, 1))
        per_token = per_token + BETA * (torch.exp(d) - d - 1)
        averaged = {
            "grpo": ((per_token * mask).sum(1) / lengths).mean(),
            "dr_grpo": (per_token * mask).sum() / (B * MAX_TOKENS),
            "dapo": masked_mean(per_token, mask),
        }[kind]
        out["grpo"][kind] = with_gradients(averaged, logprobs=logprobs)

    # RLOO: sequences are actions, the baseline is the mean of the others.
    others = (groups.sum(1, keepdim=True) - groups) / (GROUP - 1)
    loo = (groups - others).view(-1)
    per_sample, _, _ = clipped((logprobs * mask).sum(1), (old * mask).sum(1), loo)
    out["rloo"] = {"advantages": numbers(loo), **with_gradients(per_sample.mean(), logprobs=logprobs)}

    # REINFORCE on tokens.
    pg = -masked_mean(centred.reshape(-1, 1) * logprobs, mask)
    out["reinforce"] = with_gradients(pg, logprobs=logprobs)

    # DPO: rows 0, 2 are chosen, 1, 3 rejected.
    difference = (logprobs * mask).sum(1) - (reference * mask).sum(1)
    h = BETA * (difference[0::2] - difference[1::2])
    dpo = (-(1 - SMOOTHING) * F.logsigmoid(h) - SMOOTHING * F.logsigmoid(-h)).mean()
    out["dpo"] = {
        "referenceSums": numbers((reference * mask).sum(1)), "accuracy": (h > 0).double().mean().item(),
        "margin": h.mean().item(), **with_gradients(dpo, logprobs=logprobs),
    }
    path = Path(__file__).resolve().parent / "losses.json"
    path.write_text(json.dumps(out, indent=1) + "\n")


main()
