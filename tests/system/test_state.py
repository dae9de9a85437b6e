"""What the daemon says of itself, retained at the broker (CONTRACT §6), and that it does not listen to it."""
import json

from broker import Peer


def test_each_site_has_a_retained_summary(broker, house):
    daemon = house(broker.port, mqtt={"publish": True}).start()
    daemon.connected()
    with Peer(broker.port) as late:  # comes after it was said
        late.listen("ecogov/state/#")
        for topic in ("daemon", "county/summary", "v1/summary", "v2/summary"):
            late.hear(lambda heard, _, wanted=topic: heard == f"ecogov/state/{wanted}")
        said = {message.topic: message for message in late.heard}
        assert said["ecogov/state/daemon"].payload == b"online" and said["ecogov/state/daemon"].retain
        assert set(said) == {"ecogov/state/daemon", *(f"ecogov/state/{site}/summary" for site in ("county", "v1", "v2"))}
        village = json.loads(said["ecogov/state/v1/summary"].payload)
        assert village["name"] == "一村" and village["parent"] == "county" and village["at"] and village["domains"] == {}


def test_what_it_says_of_itself_is_no_message_to_it(broker, house, peer):
    """ecogov/{site}/{domain}/{device} covers ecogov/state/v1/summary, too."""
    daemon = house(broker.port, mqtt={"publish": True}).start()
    daemon.connected()
    with Peer(broker.port) as late:
        late.listen("ecogov/state/v2/summary")
        late.hear(lambda *_: True)
    peer.tell("ecogov/v1/air/a1", '{"pm25": 1}')
    status = daemon.stored(1)
    assert status["messages"] == {"received": 1, "decoded": 1, "duplicate": 0, "quarantined": 0, "ignored": 0}
    daemon.stop()
    daemon.start()  # now what is retained comes with the new subscription
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 2}')
    assert daemon.stored(2)["messages"]["received"] == 2


def test_publish_off_says_nothing(broker, house, peer):
    daemon = house(broker.port, mqtt={"publish": False}).start()
    daemon.connected()
    peer.listen("ecogov/state/#")
    peer.tell("ecogov/v1/air/a1", '{"pm25": 1}')
    daemon.stored(1)
    daemon.stop()
    peer.tell("ecogov/state/daemon", "mark", retain=False)
    peer.hear(lambda _, payload: payload == "mark")
    assert len(peer.heard) == 1  # nothing came before it
