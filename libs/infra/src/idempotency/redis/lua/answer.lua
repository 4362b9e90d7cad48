#!lua flags=allow-oom
-- answer: store the answer of the work under a key, unless it has one, or another holder has taken the work over.
-- Atomic: between the check and the write, another holder could begin.
-- KEYS record
-- ARGV fingerprint holder answer lifeMs
-- -> 1, 0: nothing was stored
local record = KEYS[1]
local fingerprint, holder, answer, lifeMs = unpack(ARGV, 1, 4)
local state = redis.call('HMGET', record, 'h', 'a')
local present, answered = unpack(state, 1, 2)
if answered or (present and present ~= holder) then return 0 end
redis.call('DEL', record)
redis.call('HSET', record, 'f', fingerprint, 'a', answer)
redis.call('PEXPIRE', record, lifeMs)
return 1
