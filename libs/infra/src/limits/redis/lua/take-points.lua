#!lua
-- take-points: takes points of one payer in its running window; the first taking begins the window.
-- Atomic: points without an expiry would count for ever.
-- KEYS taken
-- ARGV points windowSeconds limit duration
--   taken: how many points were asked for in this window; it expires with the window
--   points: how many are asked for now
--   limit, duration: settings that the library sends along; the caller compares with them, not this script
-- -> how many were asked for in this window, these included; the milliseconds until it ends
local taken = KEYS[1]
local points, windowSeconds, limit, duration = unpack(ARGV, 1, 4)
local count = redis.call('INCRBY', taken, points)
local left = redis.call('PTTL', taken)
if left < 0 then
  left = windowSeconds * 1000
  redis.call('PEXPIRE', taken, left)
end
return { count, left }
