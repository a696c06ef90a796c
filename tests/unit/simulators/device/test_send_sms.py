"""What `send_sms` puts into an SMS-SUBMIT, and what it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from simulators.device.parts.short_messages import SendSms
from simulators.device.procedures.short_message import user_data_of
from simwarden.wire.sms import Address

LONG = "the reservoir has risen by forty centimetres since this morning " * 4


def asked(**fields: Any) -> SendSms:
    return SendSms.model_validate({"device": "meter", "to": "10658000", **fields})


def test_a_message_without_a_text_is_an_alarm() -> None:
    assert asked().outgoing.text == "alarm"
    assert asked(octets="41").outgoing.text == ""


def test_the_type_of_number_and_plan_replace_those_that_are_read() -> None:
    assert asked(to="+8613800100500").outgoing.destination == Address("8613800100500", 1, 1)
    assert asked(to="+8613800100500", ton=2, npi=8).outgoing.destination == Address("8613800100500", 2, 8)


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ({"text": "alarm"}, 0),
        ({"text": "警报"}, 8),
        ({"octets": "ff"}, 4),
        ({"text": "alarm", "data_coding": 242}, 242),
    ],
)
def test_the_data_coding_follows_from_what_is_sent(fields: dict[str, Any], scheme: int) -> None:
    assert user_data_of(asked(**fields).outgoing)[0] == scheme


def test_each_part_of_a_long_message_has_the_header() -> None:
    _, parts = user_data_of(asked(text=LONG, header="06050423f40000").outgoing, 7)
    assert len(parts) == 2
    assert [[element.identifier for element in part.header] for part in parts] == [[5, 0], [5, 0]]
    assert [part.header[1].data for part in parts] == [bytes((7, 2, 1)), bytes((7, 2, 2))]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"octets": "4x"}, "hexadecimal digits, two each"),
        ({"text": "a", "octets": "41"}, "a message has a text or octets, not both"),
        ({"header": "06050423"}, "header: a user data header that is longer than the user data"),
        ({"octets": "ff", "data_coding": 0}, "octets above 7f do not fit into the 7 bit alphabet of data coding 0"),
        ({"data_coding": 256}, "less than or equal to 255"),
        ({"ton": 8}, "less than or equal to 7"),
        ({"text": "警报", "data_coding": 0}, ""),
    ],
)
def test_what_no_message_can_be_is_an_error(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        asked(**fields)
    assert told in str(error.value)
