-- What the keyword `current_timestamp` is a call of, see now.
make_timestamp_ns(epoch_ns(system.main.now()))
