#!lua flags=allow-oom
-- release: end this builder's lease without a value, if it still holds it, and tell the waiters why.
-- KEYS T:g   ARGV T id leaseId outcome('' | 'F' fetch failed) code message
-- -> 1 released, 0 the builder no longer held it
local refused = use(ARGV[1])
if refused then return refused end
local L = T .. ':l:' .. ARGV[2]
local lease = R('GET', L)
if not lease or lease:match('^[^|]*') ~= ARGV[3] then return 0 end
R('DEL', L)
wake(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return 1
