"""Makes `events`, four records by TensorBoard's own writer (tensorboard 2.x): python3 events.py"""
import io

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1764000000.25


class Kept(io.BytesIO):
    def close(self):
        pass


out = Kept()
writer = RecordWriter(out)
session = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
scalars = [("loss", 1.4604512345), ("lr", 2.6e-05), ("used_c", 1.0), ("entropy_p", 0.0), ("cosine_teacher", -0.125)]
values = [summary_pb2.Summary.Value(tag=name, simple_value=value) for name, value in scalars]
for event in [
    event_pb2.Event(wall_time=START, file_version="brain.Event:2"),
    event_pb2.Event(wall_time=START, step=301, session_log=session),
    event_pb2.Event(wall_time=START + 2, step=301, summary=summary_pb2.Summary(value=values)),
    event_pb2.Event(wall_time=START + 3.5, step=70000, summary=summary_pb2.Summary(value=values[:1])),
]:
    writer.write(event.SerializeToString())
writer.flush()
open("events", "wb").write(out.getvalue())
