-- extend: postpone the end of a valid entry with a TTL. Atomic: an entry that fell meanwhile does not come back.
-- KEYS T:g   ARGV T id ttlMs absoluteMs(-1 = none)
--   the new end is ttlMs from now, at most absoluteMs after the fetch began, and never before the present end
-- -> 1 such an entry exists (its end may already be later), 0 none exists
local refused = use(ARGV[1])
if refused then return refused end
local id, at = ARGV[2], now()
local E, C = T .. ':e:' .. id, T .. ':s:' .. id
local header = R('GETRANGE', E, 0, HEADER - 1)
if not valid(id, header) then return 0 end
local _, ends, _, _, fetchedAt = struct.unpack(F, header)
if ends == 0 then return 0 end
local later = at + tonumber(ARGV[3])
if tonumber(ARGV[4]) >= 0 then later = math.min(later, fetchedAt + tonumber(ARGV[4])) end
if later <= ends then return 1 end
R('ZADD', T .. ':ut', later, id)
R('SETRANGE', E, 1, struct.pack('>I6', later))
R('PEXPIRE', E, later - at)
local copy = R('GETRANGE', C, 0, 5)
if #copy == 6 then
  R('SETRANGE', C, 6, struct.pack('>I6', later))
  R('PEXPIRE', C, later - at + struct.unpack('>I6', copy))
end
return 1
