-- search: what was said in several sessions of one user, in their order, until it fills a page: of those that stand behind it nothing is
-- returned, and they are asked for again. Nothing of them changes.
-- KEYS session, history, session, history, …
-- ARGV 1 records wanted of each 2 bytes that fill the page, then for each session 3 its id 4 only those before this turn, or ''
-- returns for each {its key or '', the first record's number, {records}} | {} if it is not there any more, or cannot be read
local most, left = tonumber(ARGV[1]), tonumber(ARGV[2])
local all = {}
for i = 1, #KEYS, 2 do
  local s = session_of(KEYS[i], 'dk')
  local records, first, bytes
  if s and s.sid == ARGV[i + 2] then records, first, bytes = tail_of(KEYS[i + 1], s, most, ARGV[i + 3], left) end
  if records then all[#all + 1] = {s.dk, first, records} else all[#all + 1] = {} end
  left = left - (bytes or 0)
  if left <= 0 then break end
end
return all
