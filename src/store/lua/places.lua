-- places: the order of members that have the same score, as Redis has it. Stands before scripts that go through an index page by page.
-- (`<` would ask the language that the server is set to.)
local before = function(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

