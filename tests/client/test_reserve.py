"""Reservations of the Python clients, against a real server."""

import pytest

from tests.client.conftest import Customer
from tests.servers import free_port
from veloflux_client import AsyncVeloFlux, NotAllowed, Unavailable, VeloFlux

TIMEOUT_S = 20


def left(client: VeloFlux) -> int:
    """What may be used now; asking uses nothing."""
    remaining = client.check("requests", dry_run=True, timeout_s=TIMEOUT_S).remaining
    assert isinstance(remaining, int)
    return remaining


def test_what_is_committed_is_counted_and_the_rest_returns(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.token) as client:
        before = left(client)
        with client.reserve("requests", 10, timeout_s=TIMEOUT_S) as reservation:
            assert (left(client), customer.used()) == (before - 10, 0)
            assert (reservation.lease.meter, reservation.lease.cost) == ("requests", 10)
            reservation.commit(4)
        assert (left(client), customer.used()) == (before - 4, 4)


def test_leaving_without_a_commit_releases_and_so_does_an_exception(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.token) as client:
        before = left(client)
        with client.reserve("requests", 5, timeout_s=TIMEOUT_S):
            assert left(client) == before - 5
        assert left(client) == before
        with pytest.raises(ZeroDivisionError), client.reserve("requests", 5, timeout_s=TIMEOUT_S):
            raise ZeroDivisionError
        assert left(client) == before
    assert customer.used() == 0


def test_a_commit_of_nothing_counts_nothing_and_one_beyond_the_reservation_counts_all(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.token) as client:
        with client.reserve("requests", 2, timeout_s=TIMEOUT_S) as reservation:
            reservation.commit(0)
        with client.reserve("requests", 2, timeout_s=TIMEOUT_S) as reservation:
            reservation.commit(3)
    assert customer.used() == 3


def test_the_same_id_reserves_once(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.token) as client:
        before = left(client)
        with client.reserve("requests", 5, id="job-1", timeout_s=TIMEOUT_S) as reservation:
            with client.reserve("requests", 5, id="job-1", timeout_s=TIMEOUT_S) as again:
                assert (again.lease.id, left(client)) == (reservation.lease.id, before - 5)
                again.commit(5)
            reservation.settled = True
    assert customer.used() == 5


def test_too_much_is_not_held_and_the_work_does_not_begin(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.token) as client:
        with pytest.raises(NotAllowed) as raised, client.reserve("requests", 1_001, timeout_s=TIMEOUT_S):
            pytest.fail("it began")
        assert raised.value.decision.refused_by
    nobody = VeloFlux(f"http://127.0.0.1:{free_port()}", "key")
    with pytest.raises(Unavailable), nobody.reserve("requests", 1, timeout_s=0.1):
        pytest.fail("it began")


def test_a_service_key_reserves_and_settles_for_the_tenant_that_it_names(customer: Customer) -> None:
    with VeloFlux(customer.url, customer.service_key) as client:
        with client.reserve("requests", 5, tenant=customer.slug, timeout_s=TIMEOUT_S) as reservation:
            reservation.commit(2)
        with client.reserve("requests", 5, tenant=customer.slug, timeout_s=TIMEOUT_S):
            pass
        decision = client.check("requests", dry_run=True, tenant=customer.slug, timeout_s=TIMEOUT_S)
    assert (decision.remaining, customer.used()) == (998, 2)


async def test_the_asynchronous_client_reserves_the_same(customer: Customer) -> None:
    async with AsyncVeloFlux(customer.url, customer.token) as client:
        async with client.reserve("requests", 10, timeout_s=TIMEOUT_S) as reservation:
            await reservation.commit(4)
        with pytest.raises(ZeroDivisionError):
            async with client.reserve("requests", 6, timeout_s=TIMEOUT_S):
                raise ZeroDivisionError
        assert (await client.check("requests", dry_run=True, timeout_s=TIMEOUT_S)).remaining == 996
    assert customer.used() == 4
