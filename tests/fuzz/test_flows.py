"""Whatever goes wrong with a message of an attach: no fault of ours, no hang, what was refused stays refused.

And after every thousand flows the legitimate terminal is served.
"""

from __future__ import annotations

import gc
import random
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attacks
import budget
import pytest
from attacks import STORIES, WITH_KEYS, Change, Flow, Network

from simwarden.machine.diameter_shared import Answers
from simwarden.runtime.loop import TestbedLoop

if TYPE_CHECKING:
    from collections import Counter

#: flows after which the legitimate terminal must still be served, in a network that has seen them all
BATCH = 1000
#: CPU seconds that a flow may take, of which most take hundredths
SLOW = 1.0
CORPUS = Path(__file__).parent / "corpus" / "flows.tsv"


class Tally:
    """What became of the flows of a batch."""

    def __init__(self) -> None:
        self.flows = self.happened = self.mutated = self.with_keys = self.decoded = self.peer_faults = 0
        self.slowest = 0.0

    def count(self, network: Network, flow: Flow, seconds: float) -> None:
        attacker = network.attacker
        self.flows += 1
        self.slowest = max(self.slowest, seconds)
        self.happened += attacker.done
        if attacker.done and flow.change.how == "mutate":
            self.mutated += 1
            self.with_keys += flow.change.channel in WITH_KEYS
            self.decoded += attacker.decoded is True

    def __str__(self) -> str:
        return (
            f"{self.flows} flows, {self.happened} with something wrong: {self.mutated} mutations, of which "
            f"{self.with_keys} with the keys or on Diameter, {self.decoded} decoded by the receiver; "
            f"{self.peer_faults} protocol errors reported; slowest {self.slowest:.3f} s"
        )


@pytest.fixture(scope="module")
def lengths() -> dict[str, Counter[str]]:
    """How many messages each channel of each story has, and that each is refused when nothing goes wrong."""
    found = {}
    for name, story in STORIES.items():
        network = Network(TestbedLoop(virtual=True))

        async def tell(network: Network = network, story: attacks.Story = story) -> Counter[str]:
            await network.start()
            with network.attacker.with_keys():
                counted = await attacks.carry_out(network, None, story)
            await network.host.close()
            return counted

        found[name] = network.loop.run_until_complete(tell())
        network.loop.close()
        assert not network.faults
        assert attacks.admissions(network, None) == []
    return found


async def carry_out(network: Network, flow: Flow) -> None:
    """Carry out a flow and hold it against what must be true of all."""
    begun = time.process_time()
    with network.attacker.with_keys():
        await attacks.carry_out(network, flow, STORIES[flow.story])
    seconds = time.process_time() - begun
    story, attacker = STORIES[flow.story], network.attacker
    about = f"{flow}, octets {attacker.told}"
    assert not network.faults, f"{about}\n{network.faults[0].detail or network.faults[0].reason}\n{network.ladder()}"
    if story.refused:
        got = attacks.admissions(network, flow)
        assert not got, f"{about}\n{got}\n{network.ladder()}"
    assert seconds < SLOW, f"{about}: {seconds:.2f} s"


async def serve_the_meter(network: Network) -> None:
    """The legitimate terminal is served, whatever happened before."""
    network.attacker.arm(None)
    await network.put_card("meter")
    await network.clock.sleep(120)
    said = await network.do("meter", "power_on", device="meter")
    assert said == "accepted", f"{said}\n{network.ladder()}"
    await network.do("meter", "power_off", device="meter")


def forget_answers(network: Network) -> None:
    """Take out of the count the answers that a Diameter node keeps for repetitions, 4,096 at most."""
    for each in gc.get_objects():
        if isinstance(each, Answers):
            each._kept.clear()
    network.recent.clear()


async def batch(number: int, flows: int, lengths: dict[str, Counter[str]], network: Network) -> Tally:
    rng = random.Random(f"{budget.SEED}/flows/{number}")
    tally = Tally()
    await network.start()
    objects: list[int] = []
    while tally.happened < flows:
        flow = attacks.draw(rng, lengths)
        begun = time.process_time()
        await carry_out(network, flow)
        tally.count(network, flow, time.process_time() - begun)
        if network.attacker.done and tally.happened * 4 // flows > len(objects):
            forget_answers(network)
            gc.collect()
            objects.append(len(gc.get_objects()))
    await serve_the_meter(network)
    tally.peer_faults = network.peer_faults
    # what is left of the flows of the second half is less than an object each
    assert objects[-1] - objects[len(objects) // 2] < flows // 2 + 500, objects
    await network.host.close()
    assert not network.faults, network.faults[0].detail
    return tally


@pytest.mark.parametrize("number", range(max(1, -(-budget.FLOWS // BATCH))))
def test_nothing_that_goes_wrong_admits_the_wrong_terminal(number: int, lengths: dict[str, Counter[str]]) -> None:
    with closing(TestbedLoop(virtual=True)) as loop:
        tally = loop.run_until_complete(batch(number, min(BATCH, budget.FLOWS), lengths, Network(loop)))
    print(tally)  # noqa: T201 - for -rP
    assert tally.with_keys * 2 >= tally.mutated
    assert tally.decoded * 3 >= tally.mutated


def corpus() -> list[Any]:
    """Flows that once went wrong: story, channel, how, count, seed, and what it was."""
    rows = [line.split("\t") for line in CORPUS.read_text().splitlines() if line]
    return [pytest.param(Flow(row[0], Change(row[1], row[2], int(row[3]), row[4])), id=row[5]) for row in rows]


@pytest.mark.parametrize("flow", corpus())
def test_found_flows_stay_fixed(flow: Flow) -> None:
    async def tell(network: Network) -> None:
        await network.start()
        await carry_out(network, flow)
        await serve_the_meter(network)
        await network.host.close()

    with closing(TestbedLoop(virtual=True)) as loop:
        loop.run_until_complete(tell(Network(loop)))
