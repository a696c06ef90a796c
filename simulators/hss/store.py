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
from simulators.hss.subscriber import ENDS, NO_VLR, VLR, Debt, Owed, Subscriber
from simwarden.model.profile import find_use
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.card_table import alike, taken
from simwarden.policy.numbers import spellings
from simwarden.runtime.store import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from simwarden.operations.provision import CardProvision


def _add_attempts(connection: sa.Connection) -> None:
    """Version 1: which MMEs may have a card's attach under way; those that serve one may."""
    connection.exec_driver_sql("ALTER TABLE subscribers ADD COLUMN attempts JSON NOT NULL DEFAULT '{}'")


def _add_functions(connection: sa.Connection) -> None:
    """Version 2: what a card is opened for, which was that of its use."""
    connection.exec_driver_sql("ALTER TABLE subscribers ADD COLUMN functions VARCHAR NOT NULL DEFAULT ''")
    opened = sa.text("UPDATE subscribers SET functions = :functions WHERE profile = :profile")
    for name in connection.exec_driver_sql("SELECT DISTINCT profile FROM subscribers").scalars().all():
        use = find_use(name)
        if use is not None:
            connection.execute(opened, {"functions": " ".join(use.assessment.functions), "profile": name})


def _add_contexts(connection: sa.Connection) -> None:
    """Version 3: the Context-Identifiers of APNs; until they change they are the APNs' places."""
    connection.exec_driver_sql("ALTER TABLE subscribers ADD COLUMN contexts JSON NOT NULL DEFAULT '{}'")


def _add_indices(connection: sa.Connection) -> None:
    """Version 4: cards are found by number and ICCID."""
    for name in ("iccid", "msisdn"):
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS ix_subscribers_{name} ON subscribers ({name})")


def _add_vectors(connection: sa.Connection) -> None:
    """Version 5: which MMEs were given vectors of a card; of the time before that is not known."""
    connection.exec_driver_sql("ALTER TABLE subscribers ADD COLUMN vectors JSON NOT NULL DEFAULT '[]'")


def _tell_ended_apart(connection: sa.Connection) -> None:
    """Version 6: a card that is terminated is not withdrawn for a time; before, its reason alone told it."""
    ended = "UPDATE subscribers SET suspended = 'ended' WHERE suspended = 'withdrawal' AND why = 'cancelled'"
    connection.exec_driver_sql(ended)


def _add_messages(connection: sa.Connection) -> None:
    """Version 7: which MME is registered for a card's short messages, and which service centres wait for it."""
    connection.exec_driver_sql("ALTER TABLE subscribers ADD COLUMN sms_number VARCHAR NOT NULL DEFAULT ''")
    connection.exec_driver_sql("ALTER TABLE subscribers ADD COLUMN waiting JSON NOT NULL DEFAULT '{}'")


def _add_calls(connection: sa.Connection) -> None:
    """Version 8: the CAMEL subscription of a card, and who serves its calls."""
    for name in ("vlr", "msc", "vlr_imei"):
        connection.exec_driver_sql(f"ALTER TABLE subscribers ADD COLUMN {name} VARCHAR NOT NULL DEFAULT ''")
    for name in ("csi", "camel"):
        connection.exec_driver_sql(f"ALTER TABLE subscribers ADD COLUMN {name} JSON NOT NULL DEFAULT '{{}}'")


_MIGRATIONS = (
    _add_attempts,
    _add_functions,
    _add_contexts,
    _add_indices,
    _add_vectors,
    _tell_ended_apart,
    _add_messages,
    _add_calls,
)
METADATA = sa.MetaData(info={"schema": "hss", "migrations": _MIGRATIONS})
_SUBSCRIBERS = sa.Table(
    "subscribers",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("iccid", sa.String, nullable=False, index=True),
    sa.Column("msisdn", sa.String, nullable=False, index=True),
    sa.Column("profile", sa.String, nullable=False),
    sa.Column("k", sa.String(32), nullable=False),
    sa.Column("opc", sa.String(32), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False, default=0),
    sa.Column("mode", sa.String(8), nullable=False, default=""),
    sa.Column("bound", sa.String(14), nullable=False, default=""),
    sa.Column("subscription", sa.JSON, nullable=False),
    sa.Column("suspended", sa.String(12), nullable=False, default=""),
    sa.Column("why", sa.String, nullable=False, default=""),
    sa.Column("mme", sa.String, nullable=False, default=""),
    sa.Column("mme_realm", sa.String, nullable=False, default=""),
    sa.Column("plmn", sa.String, nullable=False, default=""),
    sa.Column("imei", sa.String(14), nullable=False, default=""),
    sa.Column("purged", sa.Boolean, nullable=False, default=False),
    sa.Column("attempts", sa.JSON, nullable=False, default=dict),
    sa.Column("vectors", sa.JSON, nullable=False, default=list),
    sa.Column("functions", sa.String, nullable=False, default=""),
    sa.Column("contexts", sa.JSON, nullable=False, default=dict),
    sa.Column("sms_number", sa.String, nullable=False, default=""),
    sa.Column("waiting", sa.JSON, nullable=False, default=dict),
    sa.Column("csi", sa.JSON, nullable=False, default=dict),
    sa.Column("vlr", sa.String, nullable=False, default=""),
    sa.Column("msc", sa.String, nullable=False, default=""),
    sa.Column("vlr_imei", sa.String(14), nullable=False, default=""),
    sa.Column("camel", sa.JSON, nullable=False, default=dict),
)
_AUDIT = AuditTable(METADATA, events=AUDITED)
_OWED = sa.Table(
    "owed",
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
_ALL_OWED = sa.select(_OWED)
_FIELDS = tuple(Subscriber.__dataclass_fields__)
_NEW = sa.insert(_SUBSCRIBERS)
_OWING = sa.insert(_OWED)
_PAID = sa.delete(_OWED).where(*(_OWED.c[name] == sa.bindparam(f"the_{name}") for name in ("imsi", "host", "what")))
#: what a card has at its MME and VLR once these have been cancelled
_NOWHERE = {"mme": "", "mme_realm": "", "plmn": "", "purged": False, "sms_number": "", **NO_VLR}
#: what of a change concerns a VLR
_AT_VLR = (*ENDS, Owed.BARRING, Owed.CALLS)


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
        self._owed: dict[tuple[str, str], set[Debt]] | None = None

    def get(self, imsi: str) -> Subscriber | None:
        """Return a subscriber, None if there is none with this IMSI."""
        return self._rows.get(imsi)

    def named(self, name: str) -> Subscriber | None:
        """Return the subscriber whose card has a name."""
        with self._engine.connect() as connection:
            imsi = connection.execute(sa.select(_SUBSCRIBERS.c.imsi).where(_SUBSCRIBERS.c.name == name)).scalar()
        return self.get(imsi) if imsi is not None else None

    def numbered(self, msisdn: str) -> Subscriber | None:
        """Return the subscriber that has a number, as a protocol carries it, however it was provisioned."""
        query = sa.select(_SUBSCRIBERS.c.imsi).where(_SUBSCRIBERS.c.msisdn.in_(spellings(msisdn)))
        with self._engine.connect() as connection:
            imsi = connection.execute(query).scalar()
        return self.get(imsi) if imsi is not None else None

    def holds_any(self, cards: Sequence[CardProvision]) -> bool:
        """Whether a card of some is held, or has the number or ICCID of another, held or of these."""
        identities = {name: [getattr(card, name) for card in cards] for name in ("imsi", "msisdn", "iccid")}
        with self._engine.connect() as connection:
            return alike(identities) or bool(taken(connection, _SUBSCRIBERS, identities))

    def put_new(self, subscribers: Sequence[Subscriber], audit: Sequence[dict[str, Any]]) -> None:
        """Keep new subscribers with their audit records, all or none; each is read when somebody asks for it."""
        rows = [{name: getattr(each, name) for name in _FIELDS} for each in subscribers]
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
            self._owed = None
            raise

    def put(
        self, subscriber: Subscriber, audit: dict[str, Any], *, owed: Owed | None = None, more: Sequence[Debt] = ()
    ) -> Debt | None:
        """Keep a new subscriber, or a changed one in place of what was kept, together with the audit record.

        Returns what the MME that serves it is `owed` thereby, None if no MME does; `more` is owed to others.
        """
        values = {name: getattr(subscriber, name) for name in _FIELDS}
        debts = [*_debts(subscriber, owed), *more]
        new = [debt for debt in debts if debt not in self._of(debt.imsi, debt.host)]
        with self._writing(subscriber.imsi) as connection:
            if connection.execute(_setting(_FIELDS), {"key": subscriber.imsi, **_new(values)}).rowcount == 0:
                connection.execute(_NEW, values)
            _AUDIT.add(connection, [audit])
            if new:
                connection.execute(_OWING, [debt._asdict() for debt in new])
        self._rows.taken(subscriber.imsi, values)
        self._take(debts)
        return next((debt for debt in debts if not debt.at_vlr), None)

    def change(
        self,
        subscriber: Subscriber,
        audit: dict[str, Any] | None = None,
        *,
        owed: Owed | None = None,
        more: Sequence[Debt] = (),
        **values: Any,
    ) -> Debt | None:
        """Keep what changes of a subscriber with its audit record, and what the MME that serves it is owed thereby.

        Returns the debt, None if no MME serves the card. What the VLR is owed: `at_vlr`; a withdrawal may be owed to
        several: `change_all`.
        """
        records = (audit,) if audit is not None else ()
        found = self.change_all((subscriber,), records, owed=owed, more=more, **values)
        return next((debt for debt in found if not debt.at_vlr), None)

    def change_all(
        self,
        subscribers: Sequence[Subscriber],
        audit: Sequence[dict[str, Any]],
        *,
        owed: Owed | None = None,
        more: Sequence[Debt] = (),
        **values: Any,
    ) -> list[Debt]:
        """Keep the same change of many subscribers as `change` does, all or none; return the debts, `more` among them.

        With an owed withdrawal no MME and no VLR serves the card any more. It is owed to each MME that may have an
        attach of the card under way as well: what another element has said of that before the change holds no longer.
        """
        debts = [*(debt for each in subscribers for debt in _debts(each, owed)), *more]
        nowhere = {each.imsi for each in subscribers if each.mme or each.vlr} if owed in ENDS else set()
        new = [debt for debt in debts if debt not in self._of(debt.imsi, debt.host)]
        gone = [each for each in subscribers if each.imsi in nowhere]
        others = [each for each in subscribers if each.imsi not in nowhere]
        changed = [(some, what) for some, what in ((gone, values | _NOWHERE), (others, values)) if some and what]
        with self._writing(*(each.imsi for each in subscribers)) as connection:
            for some, what in changed:
                row = _new(what)
                connection.execute(_setting(tuple(what)), [{"key": each.imsi, **row} for each in some])
            _AUDIT.add(connection, audit)
            if new:
                connection.execute(_OWING, [debt._asdict() for debt in new])
        for some, what in changed:
            for each in some:
                self._rows.taken(each.imsi, what)
        self._take(debts)
        return debts

    def set_seq(self, subscriber: Subscriber, seq: int, *, mme: str, realm: str) -> None:
        """Keep the SEQ of the last authentication vector made, and for which MME it was."""
        values: dict[str, Any] = {"seq": seq}
        if subscriber.attempts.get(mme) != realm:
            values["attempts"] = {**subscriber.attempts, mme: realm}
        if mme not in subscriber.vectors:
            values["vectors"] = [*subscriber.vectors, mme]
        with self._rows.writing(subscriber.imsi) as connection:
            connection.execute(_setting(tuple(values)), {"key": subscriber.imsi, **_new(values)})
        self._rows.taken(subscriber.imsi, values)

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

        The MME before is owed a cancellation; what this one was owed of the card, it is told by the answer. Returns
        False, and keeps nothing, if somebody else's first use has bound the card to another terminal meanwhile.
        """
        place = (subscriber.mme, subscriber.mme_realm, subscriber.plmn, subscriber.imei, subscriber.sms_number)
        paid = self._of(subscriber.imsi, mme)
        attempts = {host: of for host, of in subscriber.attempts.items() if host != subscriber.mme} | {mme: realm}
        vectors = [host for host in subscriber.vectors if host == mme or host != subscriber.mme]
        same = place == (mme, realm, plmn, imei, sms_number) and not subscriber.purged
        if not teaches and not paid and same:
            return True
        new = set()
        if subscriber.mme not in ("", mme) and not subscriber.purged:
            new.add(Debt(subscriber.imsi, subscriber.mme, Owed.UPDATE, subscriber.mme_realm))
            new -= self._of(subscriber.imsi, subscriber.mme)
        values: dict[str, Any] = {"mme": mme, "mme_realm": realm, "plmn": plmn, "imei": imei, "purged": False}
        values |= {"attempts": attempts, "vectors": vectors, "sms_number": sms_number}
        with self._writing(subscriber.imsi) as connection:
            if teaches:
                if connection.execute(_LEARN, {"key": subscriber.imsi, "new": teaches}).rowcount == 0:
                    connection.rollback()
                    self._rows.doubt(subscriber.imsi)
                    return False
                _AUDIT.add(connection, [audit])
            connection.execute(_setting(tuple(values)), {"key": subscriber.imsi, **_new(values)})
            for debt in paid:
                connection.execute(_PAID, _named(debt))
            for debt in new:
                connection.execute(_OWING, debt._asdict())
        self._take(new, paid)
        self._rows.taken(subscriber.imsi, {**values, "bound": teaches} if teaches else values)
        return True

    def register_vlr(self, subscriber: Subscriber, *, vlr: str, msc: str, imei: str, camel: dict[str, Any]) -> Debt:
        """Keep which VLR serves a card's calls, and return that it is owed the card's data; no MME has its messages.

        The VLR before is owed a cancellation.
        """
        former, due = subscriber.vlr, Debt(subscriber.imsi, vlr, Owed.CALLS, VLR)
        values = {"vlr": vlr, "msc": msc, "vlr_imei": imei, "camel": camel, "sms_number": ""}
        cancelled = {Debt(subscriber.imsi, former, Owed.UPDATE, VLR)} if former not in ("", vlr) else set()
        cancelled -= self._of(subscriber.imsi, former)
        paid = self._of(subscriber.imsi, vlr)
        with self._writing(subscriber.imsi) as connection:
            connection.execute(_setting(tuple(values)), {"key": subscriber.imsi, **_new(values)})
            for debt in paid:
                connection.execute(_PAID, _named(debt))
            connection.execute(_OWING, [debt._asdict() for debt in (due, *cancelled)])
        self._rows.taken(subscriber.imsi, values)
        self._take(paid=paid)
        self._take((due, *cancelled))
        return due

    def purge(self, subscriber: Subscriber, mme: str) -> None:
        """Keep that an MME has forgotten the card (PUR); it need be told nothing about it."""
        paid = self._of(subscriber.imsi, mme)
        values: dict[str, Any] = {
            "attempts": {host: of for host, of in subscriber.attempts.items() if host != mme},
            "vectors": [host for host in subscriber.vectors if host != mme],
        }
        if mme == subscriber.mme:
            values["purged"] = True
        with self._writing(subscriber.imsi) as connection:
            connection.execute(_setting(tuple(values)), {"key": subscriber.imsi, **_new(values)})
            for debt in paid:
                connection.execute(_PAID, _named(debt))
        self._take(paid=paid)
        self._rows.taken(subscriber.imsi, values)

    # -- what MMEs are owed

    def owed(self, host: str = "") -> list[Debt]:
        """Return what an MME has still to be told, or what all have."""
        return sorted(debt for (_, owner), debts in self._debts().items() if host in ("", owner) for debt in debts)

    def withdrawal(self, imsi: str, host: str) -> Debt | None:
        """Return what an MME has still to hear of a card's withdrawal, None if nothing."""
        return next((debt for debt in self._of(imsi, host) if debt.what in ENDS), None)

    def at_vlrs(self, imsi: str = "") -> list[Debt]:
        """Return what VLRs have still to be told of a card, or of all."""
        return [debt for debt in self.owed() if debt.at_vlr and imsi in ("", debt.imsi)]

    def owes_any(self, imsi: str, host: str) -> bool:
        """Whether an MME has still to be told anything of a card."""
        return bool(self._of(imsi, host))

    def owes(self, debt: Debt) -> bool:
        """Whether an MME has still to be told something."""
        return debt in self._debts().get((debt.imsi, debt.host), ())

    def paid(self, *debts: Debt) -> None:
        """Keep that MMEs were told. What was owed anew after it was said is another debt, and stays."""
        open_ones = [debt for debt in debts if any(debt is held for held in self._of(debt.imsi, debt.host))]
        if not open_ones:
            return
        with self._writing(*(debt.imsi for debt in open_ones)) as connection:
            connection.execute(_PAID, [_named(debt) for debt in open_ones])
        self._take(paid=open_ones)

    def _debts(self) -> dict[tuple[str, str], set[Debt]]:
        if self._owed is None:
            with self._engine.connect() as connection:
                rows = connection.execute(_ALL_OWED).all()
            self._owed = {}
            self._take({Debt(row.imsi, row.host, Owed(row.what), row.realm) for row in rows})
        return self._owed

    def _of(self, imsi: str, host: str) -> set[Debt]:
        return set(self._debts().get((imsi, host), ()))

    def _take(self, new: Iterable[Debt] = (), paid: Iterable[Debt] = ()) -> None:
        known = self._debts()
        for debt in new:
            held = known.setdefault(debt[:2], set())
            held.discard(debt)  # owed anew, it is another one, which an answer to what was said before does not pay
            held.add(debt)
        for debt in paid:
            known[debt[:2]].discard(debt)
            if not known[debt[:2]]:
                del known[debt[:2]]

    def serving_nodes(self) -> tuple[str, ...]:
        """Return the Diameter identities of all MMEs that serve a card."""
        with self._engine.connect() as connection:
            return tuple(connection.execute(_SERVING).scalars())

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


@cache
def _setting(names: tuple[str, ...]) -> sa.Update:
    return _UPDATE.values({name: sa.bindparam(f"new_{name}") for name in names})


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


def _named(debt: Debt) -> dict[str, str]:
    return {"the_imsi": debt.imsi, "the_host": debt.host, "the_what": debt.what.value}


def _debts(subscriber: Subscriber, owed: Owed | None) -> Iterator[Debt]:
    """Yield what is owed by a change of a card: to MMEs, first the one that serves it, and to its VLR.

    Of what an MME has purged it is owed nothing.
    """
    if owed is None:
        return
    if subscriber.mme and owed is not Owed.CALLS and (owed in ENDS or not subscriber.purged):
        yield Debt(subscriber.imsi, subscriber.mme, owed, subscriber.mme_realm)
    if owed in ENDS:
        for host, realm in subscriber.attempts.items():
            if host != subscriber.mme:
                yield Debt(subscriber.imsi, host, owed, realm)
    if subscriber.vlr and owed in _AT_VLR:
        yield Debt(subscriber.imsi, subscriber.vlr, owed if owed in ENDS else Owed.CALLS, VLR)
