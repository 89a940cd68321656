-- page: the newest sessions of one bucket behind a place in the list, with what the index says of them, and a count of them all.
-- KEYS 1 x 2 la 3 sm   ARGV 1 last active at that place, or +inf 2 its member 3 how many at most
-- returns {listed, alive, member, last active, expires, summary, member, …}, newest first; of one time, the greater member first
local at, member, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local page = {redis.call('ZCARD', KEYS[1]), redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')}
local offset, taken = 0, 0
repeat
  local found = redis.call('ZRANGE', KEYS[2], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, most, 'WITHSCORES')
  for i = 1, #found, 2 do
    if taken < most and (tonumber(found[i + 1]) ~= at or before(found[i], member)) then
      taken = taken + 1
      for _, part in ipairs({found[i], found[i + 1], redis.call('ZSCORE', KEYS[1], found[i]) or '0', redis.call('HGET', KEYS[3], found[i]) or ''}) do
        page[#page + 1] = part
      end
    end
  end
  offset = offset + most
until taken == most or #found < most * 2
return page
