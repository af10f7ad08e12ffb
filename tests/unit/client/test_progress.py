"""The meter counts what is safe, what is on its way, and how fast that goes."""

from __future__ import annotations

from partway.client.progress import Meter


def test_a_piece_on_its_way_counts_until_it_has_to_be_sent_again():
    meter = Meter(100)
    meter.begin(1)
    meter.begin(2)
    meter.sent(1, 10)
    meter.sent(2, 5)
    assert (meter.acknowledged_bytes, meter.sent_bytes, meter.pieces_in_flight) == (0, 15, 2)
    meter.begin(1)
    assert meter.sent_bytes == 5
    meter.acknowledged(2, 5)
    assert (meter.acknowledged_bytes, meter.sent_bytes, meter.pieces_in_flight) == (5, 5, 1)


def test_rate_over_the_last_seconds_and_time_left():
    meter = Meter(1_000)
    meter.held(500)
    assert meter.bytes_per_second(0.0) == 0
    meter.begin(1)
    meter.sent(1, 100)
    rate = meter.bytes_per_second(2.0)
    assert rate == 50
    assert meter.eta_seconds(rate) == 8
    for second in range(3, 20):
        rate = meter.bytes_per_second(float(second))
    assert rate == 0, "nothing moved for ten seconds"
    assert meter.eta_seconds(rate) is None
    assert Meter(None).eta_seconds(10) is None


def test_bytes_that_were_there_already_are_no_speed():
    meter = Meter(1_000)
    meter.bytes_per_second(0.0)
    meter.held(900)
    assert meter.bytes_per_second(1.0) == 0
