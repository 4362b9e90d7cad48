#!lua flags=allow-oom
-- release: end this builder's lease without a value, if it still holds it, and tell the waiters why.
-- Atomic: between the check and the removal, the lease could pass to another builder.
-- KEYS T:g
-- ARGV tag id leaseId outcome code message
--   outcome: 'F' = the fetch failed with this code and message; '' = it did not fail
-- -> 1 released, 0 the builder no longer held it
local tag, id, leaseId, outcome, code, message = arguments(6)
local refused = use(tag)
if refused then return refused end
local L = T .. ':l:' .. id
local lease = R('GET', L)
if not lease or lease:match('^[^|]*') ~= leaseId then return 0 end
R('DEL', L)
wake(id, leaseId, outcome, code, message)
return 1
