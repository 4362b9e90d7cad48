#!lua flags=allow-oom
-- examine: tries commands to learn what this connection's user may do; runs in a full Redis too, so a start succeeds.
-- KEYS any key of the slot   ARGV the calls as JSON: [[command, argument, ...], ...]; all their keys are in that slot
-- -> for each call the error of Redis, '' if there was none
local answers = {}
for i, call in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(call))
  answers[i] = type(reply) == 'table' and reply.err or ''
end
return answers
