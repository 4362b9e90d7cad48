#!lua flags=allow-oom
-- renew: prolong a lease if this builder still holds it. The start point does not change.
-- KEYS T:g   ARGV T id leaseId leaseMs
-- -> 1 renewed, 0 lost
local refused = use(ARGV[1])
if refused then return refused end
local L = T .. ':l:' .. ARGV[2]
local lease = R('GET', L)
if not lease or lease:match('^[^|]*') ~= ARGV[3] then return 0 end
return R('PEXPIRE', L, ARGV[4])
