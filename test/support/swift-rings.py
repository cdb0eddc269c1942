# Makes a ring of one device for each server, in one process rather than nine: python3 swift-rings.py FOLDER NAME:PORT ...
import sys

from swift.common.ring import RingBuilder

folder = sys.argv[1]
for pair in sys.argv[2:]:
    name, port = pair.split(":")
    builder = RingBuilder(4, 1, 0)
    builder.add_dev(
        {
            "id": 0,
            "region": 1,
            "zone": 1,
            "ip": "127.0.0.1",
            "port": int(port),
            "device": "d1",
            "weight": 1.0,
            "replication_ip": "127.0.0.1",
            "replication_port": int(port),
            "meta": "",
        }
    )
    builder.rebalance()
    builder.get_ring().save(f"{folder}/{name}.ring.gz")
