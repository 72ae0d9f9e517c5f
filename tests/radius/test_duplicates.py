from radius.duplicates import Key, ReplyCache

AUTH, OTHER_AUTH = b"a" * 16, b"b" * 16
REPLY = b"reply"


def key(identifier: int = 0, *, port: int = 1000, local: int = 0, code: int = 1, address: str = "192.0.2.7") -> Key:
    return ((address, port), local, code, identifier)


def make_answered(cache: ReplyCache, which: Key, now: float = 0.0) -> None:
    assert cache.begin(which, AUTH, now) is True
    cache.finish(which, AUTH, REPLY, now)


def test_a5_01_finished_request_gives_its_reply_again() -> None:
    cache = ReplyCache()
    make_answered(cache, key())
    assert cache.begin(key(), AUTH, 1.0) == REPLY


def test_a5_01_request_in_work_is_not_begun_again() -> None:
    cache = ReplyCache()
    cache.begin(key(), AUTH, 0.0)
    assert cache.begin(key(), AUTH, 1.0) is False


def test_a5_01_key_is_source_local_socket_code_and_identifier() -> None:
    cache = ReplyCache()
    make_answered(cache, key())
    for other in (key(1), key(port=1001), key(local=1), key(code=4), key(address="192.0.2.8")):
        assert cache.begin(other, AUTH, 0.0) is True


def test_a5_02_other_authenticator_is_a_new_request() -> None:
    cache = ReplyCache()
    make_answered(cache, key())
    assert cache.begin(key(), OTHER_AUTH, 0.0) is True
    assert cache.begin(key(), AUTH, 0.0) is True


def test_a5_02_late_reply_to_a_replaced_request_is_not_learned() -> None:
    cache = ReplyCache()
    cache.begin(key(), AUTH, 0.0)
    cache.begin(key(), OTHER_AUTH, 0.0)
    cache.finish(key(), AUTH, REPLY, 0.0)
    assert cache.begin(key(), OTHER_AUTH, 0.0) is False


def test_a5_03_entry_lives_its_time() -> None:
    cache = ReplyCache(life_seconds=10)
    make_answered(cache, key())
    assert cache.begin(key(1), AUTH, 0.0) is True
    assert cache.begin(key(1), AUTH, 9.9) is False
    assert cache.begin(key(), AUTH, 10.0) is True


def test_a5_03_hit_doubles_the_life() -> None:
    cache = ReplyCache(life_seconds=10)
    make_answered(cache, key())
    assert cache.begin(key(), AUTH, 5.0) == REPLY
    assert cache.begin(key(), AUTH, 24.9) == REPLY


def test_a5_03_client_is_bounded_and_its_oldest_gives_way() -> None:
    cache = ReplyCache(most_per_client=3)
    for identifier in range(4):
        make_answered(cache, key(identifier))
    assert len(cache) == 3
    assert cache.begin(key(3), AUTH, 0.0) == REPLY
    assert cache.begin(key(0), AUTH, 0.0) is True


def test_a5_03_clients_are_bounded() -> None:
    cache = ReplyCache(most_clients=2)
    for host in range(5):
        make_answered(cache, key(address=f"192.0.2.{host}"))
    assert len(cache) == 2


def test_a5_03_one_client_pushes_nobody_else_out() -> None:
    cache = ReplyCache(most_per_client=3)
    make_answered(cache, key(address="192.0.2.8"))
    for identifier in range(100):
        make_answered(cache, key(identifier))
    assert cache.begin(key(address="192.0.2.8"), AUTH, 0.0) == REPLY


def test_request_without_reply_is_forgotten() -> None:
    cache = ReplyCache()
    cache.begin(key(), AUTH, 0.0)
    cache.forget(key(), AUTH)
    assert cache.begin(key(), AUTH, 0.0) is True


def test_forgetting_leaves_a_reply_and_a_newer_request_alone() -> None:
    cache = ReplyCache()
    make_answered(cache, key())
    cache.forget(key(), AUTH)
    assert cache.begin(key(), AUTH, 0.0) == REPLY
    cache.begin(key(), OTHER_AUTH, 0.0)
    cache.forget(key(), AUTH)
    assert cache.begin(key(), OTHER_AUTH, 0.0) is False


def test_sweep_drops_what_is_over() -> None:
    cache = ReplyCache(life_seconds=10)
    make_answered(cache, key(1), now=0.0)
    make_answered(cache, key(2), now=5.0)
    cache.sweep(12.0)
    assert len(cache) == 1
    cache.sweep(15.0)
    assert len(cache) == 0
