#!lua flags=allow-oom
-- examine: tries commands to learn what this connection's user may do; runs in a full Redis too, so a start succeeds.
-- Atomic: processes that examine the same key at once do not meet.
-- KEYS key
-- ARGV calls
--   key: any key of the slot in which the calls are tried
--   calls: JSON, [[command, argument, ...], ...]; all their keys are in that slot
-- -> for each call the error of Redis, '' if there was none
local calls = cjson.decode(ARGV[1])
local answers = {}
for i, call in ipairs(calls) do
  local reply = redis.pcall(unpack(call))
  answers[i] = type(reply) == 'table' and reply.err or ''
end
return answers
