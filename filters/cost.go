package filters

// MaxCost is the most a filter may cost in the worst case, in ns: 5 ms on one present-day core.
const MaxCost = 5_000_000

// What operations cost at their dearest, in ns, on an event of 256 KiB that is made to be dear. cost_test.go builds such
// events and holds these figures against the clock: they are right within half as much again.
const (
	costDecode   = 1_900_000 // JSON into a document with an index of its widest object
	costPath     = 100       // a member, whatever the object's width
	costElement  = 2         // each element that an index skips
	costNode     = 10        // anything that reads no text
	costCompare  = 15_000    // two texts of 128 KiB that differ at the end
	costCount    = 450_000   // len: the characters of a text
	costScan     = 150_000   // trim
	costSearch   = 300_000   // contains
	costTexts    = 400_000   // in, a constant text over an array
	costMembers  = 1_500_000 // in, anything else over an array
	costRewrite  = 40_000    // lower and upper of MaxRead bytes
	costNumeral  = 500       // int and float
	costPerState = 8_000     // a pattern's state over MaxRead bytes
)

// spend adds to the cost and refuses the node that leads beyond MaxCost.
func (c *compiler) spend(s span, cost int) {
	if c.cost += cost; c.cost > MaxCost {
		c.refuse(s, "search fewer texts or arrays, or shorten the pattern",
			"with this the filter may cost %d us on the largest event; at most %d us are allowed", c.cost/1000, MaxCost/1000)
	}
}
