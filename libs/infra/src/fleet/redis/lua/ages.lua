-- ages: for each feed, how many ms ago it was last known to be up to date, by the server's clock. A date that is a
-- second or more in the future comes from a server whose clock is ahead of this one's; such a feed is left out.
-- Atomic: all ages count back from the instant at which the dates were read.
-- KEYS base
-- ARGV (none)
-- -> feed, ageMs, ...
local base = KEYS[1]
local CLOCKS_APART = 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found, ages = redis.call('HGETALL', base .. ':feeds'), {}
for i = 1, #found, 2 do
  local feed, age = found[i], now - tonumber(found[i + 1])
  if age > -CLOCKS_APART then
    ages[#ages + 1] = feed
    ages[#ages + 1] = string.format('%.0f', math.max(0, age))
  end
end
return ages
