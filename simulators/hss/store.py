"""What the HSS keeps: subscribers with keys, SQN, bindings, suspensions and registrations, and the audit.

Rows are cached when first read; each change is committed before the method returns, and only then is in memory, so that
an answer which follows it never tells more than a killed process would remember. What an MME has to be told of a change
is kept with the change, until it has answered. Bindings are learned by one conditional UPDATE: of two first
uses at once exactly one wins, whoever else uses the database.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.hss.events import AUDITED
from simulators.hss.subscriber import ENDS, NO_VLR, VLR, Due, Notice, Subscriber
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.card_table import alike, taken
from simwarden.operations.record_columns import record_columns, row_of
from simwarden.policy.numbers import spellings
from simwarden.runtime.store import Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from simwarden.operations.provision import CardProvision


METADATA = sa.MetaData(info={"schema": "hss", "first": 8})
_SUBSCRIBERS = sa.Table("subscribers", METADATA, *record_columns(Subscriber, "imsi", index=("name", "iccid", "msisdn")))
_AUDIT = AuditTable(METADATA, events=AUDITED)
_PENDING = sa.Table(
    "pending",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("host", sa.String, primary_key=True),
    sa.Column("what", sa.String(12), primary_key=True),
    sa.Column("realm", sa.String, nullable=False),
)
_ALL = sa.select(_SUBSCRIBERS)
_ROW = _ALL.where(_SUBSCRIBERS.c.imsi == sa.bindparam("key"))
_UPDATE = sa.update(_SUBSCRIBERS).where(_SUBSCRIBERS.c.imsi == sa.bindparam("key"))
_LEARN = _UPDATE.where(_SUBSCRIBERS.c.bound == "", _SUBSCRIBERS.c.mode == "learned").values(bound=sa.bindparam("new"))
_SERVING = sa.select(_SUBSCRIBERS.c.mme).where(_SUBSCRIBERS.c.mme != "").distinct().order_by(_SUBSCRIBERS.c.mme)
_ALL_PENDING = sa.select(_PENDING)
_NEW = sa.insert(_SUBSCRIBERS)
_ADD_PENDING = sa.insert(_PENDING)
_TOLD = sa.delete(_PENDING).where(
    *(_PENDING.c[name] == sa.bindparam(f"the_{name}") for name in ("imsi", "host", "what"))
)
#: what a card has at its MME and VLR once these have been cancelled; of what else is held of an MME nobody asks then
_NOWHERE = {"mme": "", "sms_number": "", **NO_VLR}
#: what of a change concerns a VLR
_AT_VLR = (*ENDS, Due.BARRING, Due.CALLS)


def _read(connection: sa.Connection, imsi: str) -> dict[str, Any] | None:
    row = connection.execute(_ROW, {"key": imsi}).mappings().first()
    return {str(name): value for name, value in row.items()} if row is not None else None


class Store:
    """The database of one HSS."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.audit, self.count = partial(_AUDIT.keep, engine), partial(_AUDIT.count, engine)
        self.audited = partial(_AUDIT.read, engine)
        self._rows = Rows(engine, _read, Subscriber)
        self._pending: dict[tuple[str, str], set[Notice]] | None = None

    def get(self, imsi: str) -> Subscriber | None:
        """Return a subscriber, None if there is none with this IMSI."""
        return self._rows.get(imsi)

    def named(self, name: str) -> Subscriber | None:
        """Return the subscriber whose card has a name."""
        return self._found(_SUBSCRIBERS.c.name == name)

    def numbered(self, msisdn: str) -> Subscriber | None:
        """Return the subscriber that has a number, as a protocol carries it, however it was provisioned."""
        return self._found(_SUBSCRIBERS.c.msisdn.in_(spellings(msisdn)))

    def _found(self, where: sa.ColumnElement[bool]) -> Subscriber | None:
        with self._engine.connect() as connection:
            imsi = connection.execute(sa.select(_SUBSCRIBERS.c.imsi).where(where)).scalar()
        return self.get(imsi) if imsi is not None else None

    def holds_any(self, cards: Sequence[CardProvision]) -> bool:
        """Whether a card of some is held, or has the number or ICCID of another, held or of these."""
        identities = {name: [getattr(card, name) for card in cards] for name in ("imsi", "msisdn", "iccid")}
        with self._engine.connect() as connection:
            return alike(identities) or bool(taken(connection, _SUBSCRIBERS, identities))

    def put_new(self, subscribers: Sequence[Subscriber], audit: Sequence[dict[str, Any]]) -> None:
        """Keep new subscribers with their audit records, all or none; each is read when somebody asks for it."""
        rows = list(map(row_of, subscribers))
        with self._engine.begin() as connection:
            connection.execute(_NEW, rows)
            _AUDIT.add(connection, audit)

    def taken(self, subscriber: Subscriber) -> list[tuple[str, str]]:
        """Return what a card has that is another one's: `msisdn` or `iccid`, and its value."""
        identities = {"msisdn": [subscriber.msisdn], "iccid": [subscriber.iccid]}
        with self._engine.connect() as connection:
            return taken(connection, _SUBSCRIBERS, identities, but=subscriber.imsi)

    def page(self, *, after: str, most: int) -> list[Subscriber]:
        """Return at most so many subscribers by IMSI, after one."""
        query = _ALL.where(_SUBSCRIBERS.c.imsi > after).order_by(_SUBSCRIBERS.c.imsi).limit(most)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [self._rows.seen(row["imsi"], {str(name): value for name, value in row.items()}) for row in rows]

    @contextmanager
    def _writing(self, *imsis: str) -> Iterator[sa.Connection]:
        try:
            with self._rows.writing(*imsis) as connection:
                yield connection
        except BaseException:
            self._pending = None
            raise

    def put(self, subscriber: Subscriber, audit: dict[str, Any], *, more: Sequence[Notice] = ()) -> Notice | None:
        """Keep a new subscriber, or a changed one in place of what was kept, together with the audit record.

        Returns what is pending for the MME that serves it thereby, None if no MME does; `more` is for others.
        """
        values = row_of(subscriber)
        due = list(_notices(subscriber, Due.SUBSCRIPTION))
        notices = [*due, *more]
        new = [notice for notice in notices if notice not in self._of(notice.imsi, notice.host)]
        with self._writing(subscriber.imsi) as connection:
            if connection.execute(_setting(tuple(values)), {"key": subscriber.imsi, **_new(values)}).rowcount == 0:
                connection.execute(_NEW, values)
            _AUDIT.add(connection, [audit])
            if new:
                connection.execute(_ADD_PENDING, [notice._asdict() for notice in new])
        self._rows.taken(subscriber.imsi, values)
        self._take(notices)
        return due[0] if due else None

    def change(
        self,
        subscriber: Subscriber,
        audit: dict[str, Any] | None = None,
        *,
        due: Due | None = None,
        more: Sequence[Notice] = (),
        **values: Any,
    ) -> Notice | None:
        """Keep what changes of a subscriber with its audit record, and what becomes pending for its MME.

        Returns the notice, None if no MME serves the card. What is pending for the VLR: `at_vlr`; a withdrawal may be
        for several: `change_all`.
        """
        records = (audit,) if audit is not None else ()
        found = self.change_all((subscriber,), records, due=due, more=more, **values)
        return next((notice for notice in found if not notice.at_vlr), None)

    def change_all(
        self,
        subscribers: Sequence[Subscriber],
        audit: Sequence[dict[str, Any]],
        *,
        due: Due | None = None,
        more: Sequence[Notice] = (),
        **values: Any,
    ) -> list[Notice]:
        """Keep the same change of many subscribers, all or none; return the notices, `more` among them.

        With a withdrawal no MME and no VLR serves the card any more. It is pending for each MME that may have an
        attach of the card under way as well: what another element has said of that before the change holds no longer.
        """
        if not subscribers:
            return []
        notices = [*(notice for each in subscribers for notice in _notices(each, due)), *more]
        if due in ENDS:
            values |= _NOWHERE
        self._keep(subscribers, values, audit, notices)
        return notices

    def _keep(
        self,
        subscribers: Sequence[Subscriber],
        values: dict[str, Any],
        audit: Sequence[dict[str, Any]] = (),
        notices: Sequence[Notice] = (),
        heard: Collection[Notice] = (),
        *,
        learned: str = "",
    ) -> bool:
        """Keep a change of subscribers, what was heard of before it, and what is pending after it, all or none.

        Returns False, and keeps nothing, if the one of them that is to have `learned` an IMEI is bound already.
        """
        new = [notice for notice in notices if notice in heard or notice not in self._of(notice.imsi, notice.host)]
        row = _new(values)
        with self._writing(*(each.imsi for each in subscribers)) as connection:
            for each in subscribers if learned else ():
                if connection.execute(_LEARN, {"key": each.imsi, "new": learned}).rowcount == 0:
                    self._rows.doubt(each.imsi)
                    return False
            connection.execute(_setting(tuple(values)), [{"key": each.imsi, **row} for each in subscribers])
            _AUDIT.add(connection, audit)
            if heard:
                connection.execute(_TOLD, [_named(notice) for notice in heard])
            if new:
                connection.execute(_ADD_PENDING, [notice._asdict() for notice in new])
        for each in subscribers:
            self._rows.taken(each.imsi, values)
        self._take(heard=heard)
        self._take(notices)
        return True

    def set_seq(self, subscriber: Subscriber, seq: int, *, mme: str, realm: str) -> None:
        """Keep the SEQ of the last authentication vector made, and for which MME it was."""
        values: dict[str, Any] = {"seq": seq}
        if subscriber.attempts.get(mme) != realm:
            values["attempts"] = {**subscriber.attempts, mme: realm}
        if mme not in subscriber.vectors:
            values["vectors"] = [*subscriber.vectors, mme]
        self._keep((subscriber,), values)

    def register(
        self,
        subscriber: Subscriber,
        *,
        mme: str,
        realm: str,
        plmn: str,
        imei: str,
        teaches: str,
        audit: dict[str, Any],
        sms_number: str = "",
    ) -> bool:
        """Keep which MME serves a card in which terminal, and bind the card if it `teaches` an IMEI.

        A cancellation is pending for the MME before; what was pending for this one is told by the answer. Returns
        False, and keeps nothing, if somebody else's first use has bound the card to another terminal meanwhile.
        """
        place = (subscriber.mme, subscriber.mme_realm, subscriber.plmn, subscriber.imei, subscriber.sms_number)
        heard = self._of(subscriber.imsi, mme)
        attempts = {host: of for host, of in subscriber.attempts.items() if host != subscriber.mme} | {mme: realm}
        vectors = [host for host in subscriber.vectors if host == mme or host != subscriber.mme]
        same = place == (mme, realm, plmn, imei, sms_number) and not subscriber.purged
        if not teaches and not heard and same:
            return True
        new = []
        if subscriber.mme not in ("", mme) and not subscriber.purged:  # it serves the card: none is pending for it yet
            new.append(Notice(subscriber.imsi, subscriber.mme, Due.UPDATE, subscriber.mme_realm))
        values: dict[str, Any] = {"mme": mme, "mme_realm": realm, "plmn": plmn, "imei": imei, "purged": False}
        values |= {"attempts": attempts, "vectors": vectors, "sms_number": sms_number}
        if not teaches:
            return self._keep((subscriber,), values, (), new, heard)
        return self._keep((subscriber,), {**values, "bound": teaches}, (audit,), new, heard, learned=teaches)

    def register_vlr(self, subscriber: Subscriber, *, vlr: str, msc: str, imei: str, camel: dict[str, Any]) -> Notice:
        """Keep which VLR serves a card's calls, and return that its data is pending there; no MME has its messages.

        A cancellation is pending for the VLR before.
        """
        former, due = subscriber.vlr, Notice(subscriber.imsi, vlr, Due.CALLS, VLR)
        values = {"vlr": vlr, "msc": msc, "vlr_imei": imei, "camel": camel, "sms_number": ""}
        cancelled = [Notice(subscriber.imsi, former, Due.UPDATE, VLR)] if former not in ("", vlr) else []
        self._keep((subscriber,), values, (), (due, *cancelled), self._of(subscriber.imsi, vlr))
        return due

    def purge(self, subscriber: Subscriber, mme: str) -> None:
        """Keep that an MME has forgotten the card (PUR); it need be told nothing about it."""
        values: dict[str, Any] = {
            "attempts": {host: of for host, of in subscriber.attempts.items() if host != mme},
            "vectors": [host for host in subscriber.vectors if host != mme],
        }
        if mme == subscriber.mme:
            values["purged"] = True
        self._keep((subscriber,), values, heard=self._of(subscriber.imsi, mme))

    # -- what is pending for MMEs

    def pending(self, host: str = "") -> list[Notice]:
        """Return what an MME has still to be told, or what all have."""
        return sorted(
            notice for (_, owner), notices in self._notices().items() if host in ("", owner) for notice in notices
        )

    def withdrawal(self, imsi: str, host: str) -> Notice | None:
        """Return what an MME has still to hear of a card's withdrawal, None if nothing."""
        return next((notice for notice in self._of(imsi, host) if notice.what in ENDS), None)

    def at_vlrs(self, imsi: str = "") -> list[Notice]:
        """Return what VLRs have still to be told of a card, or of all."""
        return [notice for notice in self.pending() if notice.at_vlr and imsi in ("", notice.imsi)]

    def any_pending(self, imsi: str, host: str) -> bool:
        """Whether an MME has still to be told anything of a card."""
        return bool(self._of(imsi, host))

    def is_pending(self, notice: Notice) -> bool:
        """Whether an MME has still to be told something."""
        return notice in self._notices().get((notice.imsi, notice.host), ())

    def told(self, *notices: Notice) -> None:
        """Keep that MMEs were told. What became pending anew after it was said is another notice, and stays."""
        open_ones = [notice for notice in notices if any(notice is held for held in self._of(notice.imsi, notice.host))]
        if not open_ones:
            return
        with self._writing(*(notice.imsi for notice in open_ones)) as connection:
            connection.execute(_TOLD, [_named(notice) for notice in open_ones])
        self._take(heard=open_ones)

    def _notices(self) -> dict[tuple[str, str], set[Notice]]:
        if self._pending is None:
            with self._engine.connect() as connection:
                rows = connection.execute(_ALL_PENDING).all()
            self._pending = {}
            self._take({Notice(row.imsi, row.host, Due(row.what), row.realm) for row in rows})
        return self._pending

    def _of(self, imsi: str, host: str) -> set[Notice]:
        return set(self._notices().get((imsi, host), ()))

    def _take(self, new: Iterable[Notice] = (), heard: Iterable[Notice] = ()) -> None:
        known = self._notices()
        for notice in new:
            held = known.setdefault(notice[:2], set())
            held.discard(notice)  # anew, it is another one, which no answer to what was said before ends
            held.add(notice)
        for notice in heard:
            known[notice[:2]].discard(notice)
            if not known[notice[:2]]:
                del known[notice[:2]]

    def serving_nodes(self) -> tuple[str, ...]:
        """Return the Diameter identities of all MMEs that serve a card."""
        with self._engine.connect() as connection:
            return tuple(connection.execute(_SERVING).scalars())


@cache
def _setting(names: tuple[str, ...]) -> sa.Update:
    return _UPDATE.values({name: sa.bindparam(f"new_{name}") for name in names})


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


def _named(notice: Notice) -> dict[str, str]:
    return {"the_imsi": notice.imsi, "the_host": notice.host, "the_what": notice.what.value}


def _notices(subscriber: Subscriber, due: Due | None) -> Iterator[Notice]:
    """Yield what becomes pending by a change of a card: for MMEs, first the one that serves it, and for its VLR.

    Nothing is for an MME that has purged the card, but its end.
    """
    if due is None:
        return
    if subscriber.mme and due is not Due.CALLS and (due in ENDS or not subscriber.purged):
        yield Notice(subscriber.imsi, subscriber.mme, due, subscriber.mme_realm)
    if due in ENDS:
        for host, realm in subscriber.attempts.items():
            if host != subscriber.mme:
                yield Notice(subscriber.imsi, host, due, realm)
    if subscriber.vlr and due in _AT_VLR:
        yield Notice(subscriber.imsi, subscriber.vlr, due if due in ENDS else Due.CALLS, VLR)
