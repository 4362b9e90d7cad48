#!lua flags=allow-oom
-- examine: tries commands, to learn what the user of this connection may do. In a full Redis too: else nobody could begin there.
-- KEYS any key of the slot   ARGV the calls as JSON: [[command, argument, ...], ...]; all their keys are in that slot
-- -> of each call what Redis said against it, '' nothing
local answers = {}
for i, call in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(call))
  answers[i] = type(reply) == 'table' and reply.err or ''
end
return answers
