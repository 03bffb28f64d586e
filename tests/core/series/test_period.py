"""The dates of a series."""

from datetime import date

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.period import Period

OWN = [date(2018, 3, 5), date(2018, 3, 10), date(2018, 4, 1)]


def test_step_zero_keeps_the_own_dates_of_the_period(listener):
    assert Period().dates(OWN, listener) == OWN
    assert Period(start=date(2018, 3, 6)).dates(OWN, listener) == OWN[1:]
    assert Period(end=date(2018, 3, 10)).dates(OWN, listener) == OWN[:2]


def test_a_step_gives_a_date_every_n_days_and_the_end_only_if_it_falls_on_one(listener):
    days = [day.day for day in Period(date(2018, 3, 1), date(2018, 3, 22), 10).dates(OWN, listener)]
    assert days == [1, 11, 21]
    assert Period(date(2018, 3, 1), date(2018, 3, 21), 10).dates(OWN, listener)[-1] == date(2018, 3, 21)


def test_by_default_steps_go_from_the_first_to_the_last_acquisition(listener):
    dates = Period(step=27).dates(OWN, listener)
    assert dates == [OWN[0], OWN[-1]]


def test_a_period_far_beyond_the_acquisitions_is_told(listener):
    Period(date(2018, 1, 1), date(2018, 4, 3), 5).dates(OWN, listener)
    assert len(listener.warnings) == 1
    assert "2018-01-01" in listener.warnings[0]


def test_impossible_periods_are_refused(listener):
    with pytest.raises(InputError, match="2018-04-01, is after END, 2018-03-01"):
        Period(date(2018, 4, 1), date(2018, 3, 1))
    with pytest.raises(InputError, match="STEP, 40 days, is longer"):
        Period(date(2018, 3, 1), date(2018, 4, 1), 40)
    with pytest.raises(InputError, match="STEP, 40 days, is longer"):
        Period(step=40).dates(OWN, listener)
    with pytest.raises(InputError, match="STEP is -1"):
        Period(step=-1)
    with pytest.raises(InputError, match="2019-01-01 to the last date: the dates found are 2018-03-05 to 2018-04-01"):
        Period(start=date(2019, 1, 1)).dates(OWN, listener)
