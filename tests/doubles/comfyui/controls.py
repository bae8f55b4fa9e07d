"""The double's switches, which a real server does not have."""

from tornado.ioloop import IOLoop

from tests.doubles.comfyui.base import Base


class FaultsHandler(Base):
    """`restart` (seconds), `lose_queue` and `drop_sockets` act at once; everything else sets a field of Faults."""

    def post(self) -> None:
        body = self.body()
        restart, lose = body.pop("restart", None), body.pop("lose_queue", False)
        drop = body.pop("drop_sockets", False)
        try:
            self.double.faults.update(body)
        except KeyError as error:
            self.json({"unknown": str(error)}, 400)
            return
        if lose:
            self.double.executor.forget(history=False)
        if drop:
            self.double.sockets.drop_all()
        if restart is not None:
            IOLoop.current().add_callback(self.double.restart, float(restart))
        self.json({})


class CountsHandler(Base):
    def get(self) -> None:
        executor = self.double.executor
        with executor.lock:
            counts = {**self.double.counts, "model_loads": executor.model_loads, "executed": executor.executed}
            self.json({**counts, "sockets": list(self.double.sockets.by_id)})
