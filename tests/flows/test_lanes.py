"""A lane whose holder died is free for the next, at once and not only when its lease ends."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

from flows.orders import sync_orders
from schemas.documents import StockLevel
from tasks import connect
from tasks.post import stock as post
from tasks.settings import Settings
from tests.flows.shopping import stock_both, stock_writes
from tests.installation import Installation
from tests.recorded import sample_order

SKU = "TEE-NAVY-M"
ORDER = "000000020"
PRIMA_NUMBER = "30000020"
HOLDER = "from tasks import connect; print(connect.owner(), flush=True); input()"


def test_who_waits_for_the_stock_lane_has_it_as_soon_as_its_holder_is_killed(installation: Installation) -> None:
    entered = threading.Event()

    def write_stock() -> None:
        with connect.stock_lane(Settings.from_env()):
            entered.set()

    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        owner = holder.stdout.readline().strip()
        with installation.ledger() as ledger, ledger.lane("stock default", owner=owner, seconds=600):
            waiting = threading.Thread(target=write_stock, daemon=True)
            waiting.start()
            assert not entered.wait(1), "whoever lives keeps the lane"
            holder.kill()
            # The killed process has no exit code yet, as under a worker that has not looked.
            assert entered.wait(60)
            waiting.join()


def test_a_writer_that_lost_the_stock_lane_to_another_machine_writes_no_more(installation: Installation) -> None:
    stock_both(installation, {SKU: 10})
    level = StockLevel(SKU, "default", 9, 0, 0, 9, datetime.now(UTC))
    with connect.stock_lane(Settings.from_env()) as keep_lane, installation.ledger() as ledger:
        keep_lane()
        ledger.free_lanes(connect.owner())  # as when this machine slept until its lease had ended
        with ledger.lane("stock default", owner="another machine:1-1:1", seconds=600) as is_theirs:
            assert is_theirs
            (result,) = post.post_stock.fn([level], "stock-1", keep_lane=keep_lane)
        assert (result.state, result.detail) == ("waiting", "ledger, keep lane: the lane stock default was lost.")
        assert ledger.stock_pushes(SKU) == []
    assert stock_writes(installation) == 0


def test_the_lane_of_a_dead_process_is_free_although_its_number_was_given_out_again(
    installation: Installation,
) -> None:
    machine, _, thread = connect.owner().rsplit(":", 2)
    earlier = f"{machine}:{os.getpid()}-1:{thread}"
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "reset")
    sync_orders()

    with installation.ledger() as ledger, ledger.lane(f"order {ORDER}", owner=earlier, seconds=600):
        sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
