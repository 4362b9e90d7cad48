#!lua flags=allow-oom
-- release: end the claim of a key, if this holder has it, as if this holder had never begun.
-- Atomic: between the check and the removal, another holder could begin.
-- KEYS record
-- ARGV holder
-- -> 1, 0: the holder does not have the claim
local record = KEYS[1]
local holder = ARGV[1]
local state = redis.call('HMGET', record, 'h', 'd')
local present, doer = unpack(state, 1, 2)
if present ~= holder then return 0 end
if not doer or doer == holder then return redis.call('DEL', record) end
redis.call('HSET', record, 'u', '0') -- what an earlier holder may have done is still not known
return 1
