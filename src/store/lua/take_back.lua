-- take_back: a password that was counted was right, or was not tried after all. What failed besides is not forgotten.
-- KEYS where it was counted, as for attempt
-- returns 1
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 and redis.call('HINCRBY', key, 'n', -1) <= 0 then redis.call('DEL', key) end
end
return 1
