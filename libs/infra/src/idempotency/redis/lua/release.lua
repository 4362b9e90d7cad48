#!lua flags=allow-oom
-- release: end the claim of a key, if this holder has it, as if the work had never begun.
-- Atomic: between the check and the removal, another holder could begin.
-- KEYS record
-- ARGV holder
-- -> 1, 0: the holder does not have the claim
local record = KEYS[1]
local holder = ARGV[1]
if redis.call('HGET', record, 'h') ~= holder then return 0 end
return redis.call('DEL', record)
