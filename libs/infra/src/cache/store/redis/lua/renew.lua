#!lua flags=allow-oom
-- renew: prolong a lease if this builder still holds it. The start point does not change.
-- Atomic: between the check and the write, the lease could pass to another builder.
-- KEYS T:g
-- ARGV tag id leaseId leaseMs
-- -> 1 renewed, 0 lost
local tag, id, leaseId, leaseMs = arguments(4)
local refused = use(tag)
if refused then return refused end
local L = T .. ':l:' .. id
local lease = R('GET', L)
if not lease or lease:match('^[^|]*') ~= leaseId then return 0 end
return R('PEXPIRE', L, leaseMs)
