-- session_list: what a caller's sessions are: the one that is named, or else the main one and all beside it.
-- KEYS 1 account 2 revoked 3 session (the main one, unless one is named) 4 slots
-- ARGV 1 token id 2 issued ms 3 requests/min 4 the id of the session that is named, or ''
-- returns {'OK', role, now, {{labelled}, …}} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local found = {}
local function add(key)
  local one = labelled(key, a[7])
  if one and (ARGV[4] == '' or one[1][1] == ARGV[4]) then found[#found + 1] = one end
end
add(KEYS[3])
if ARGV[4] == '' then
  for _, slot in ipairs(other_slots(KEYS[4], KEYS[3])) do add(at_slot(KEYS[3], slot)) end
end
return {'OK', a[1], now, found}
