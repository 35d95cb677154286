package filters

import "github.com/expr-lang/expr/ast"

// unknown refuses what expr has and the filter language has not, with what to write instead.
func (c *compiler) unknown(s span, n ast.Node) node {
	switch n.(type) {
	case *ast.SliceNode:
		return c.refuse(s, "use startsWith, endsWith or matches", "slices are not part of the filter language")
	case *ast.ArrayNode:
		return c.refuse(s, `write x in ["a", "b"]`, "a list stands only behind in")
	case *ast.MapNode, *ast.PairNode:
		return c.refuse(s, "", "maps are not part of the filter language")
	case *ast.PredicateNode, *ast.PointerNode:
		return c.refuse(s, "use in for membership", "loops over arrays are not part of the filter language")
	case *ast.VariableDeclaratorNode:
		return c.refuse(s, "write the value where it is used", "let is not part of the filter language")
	case *ast.SequenceNode:
		return c.refuse(s, "join conditions with and, or", "; is not part of the filter language")
	case *ast.BytesNode:
		return c.refuse(s, "write a string", "bytes are not part of the filter language")
	}
	return c.refuse(s, "", "this is not part of the filter language")
}

func (c *compiler) unknownFunction(s span, word string) node {
	suggestion := "functions are has, len, lower, upper, trim, int, float, time, glob and cidr"
	switch word {
	case "all", "any", "none", "one", "filter", "map", "count", "sum", "find", "findIndex", "findLast", "findLastIndex", "groupBy", "sortBy", "reduce":
		return c.refuse(s, "use in for membership, or an index such as data.items[0]", "%s loops over an array; loops are not part of the filter language", word)
	case "join", "repeat", "replace", "split", "concat", "toJSON", "string":
		return c.refuse(s, "use contains, startsWith, endsWith or matches", "%s builds a value; values are not built in filters", word)
	case "exists", "isset", "defined":
		suggestion = "write has(x), or x != nil"
	case "like", "wildcard", "fnmatch":
		suggestion = `write glob(x, "*.example.com")`
	case "inCIDR", "ip", "subnet":
		suggestion = `write cidr(x, "192.0.2.0/24")`
	case "hasPrefix":
		suggestion = `write x startsWith "..."`
	case "hasSuffix":
		suggestion = `write x endsWith "..."`
	case "now", "date", "duration":
		suggestion = `compare occurred_at with a constant time, as in occurred_at >= "2026-01-31"`
	case "type":
		suggestion = "type is the event type and takes no brackets"
	}
	return c.refuse(s, suggestion, "there is no function %s", word)
}
