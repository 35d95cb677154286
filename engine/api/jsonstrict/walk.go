package jsonstrict

// EnterObject steps into an object. It returns false, and stays where it is, when the next value is none.
func (s *Scanner) EnterObject() (bool, error) { return s.enter('{') }

// EnterArray steps into an array. It returns false, and stays where it is, when the next value is none.
func (s *Scanner) EnterArray() (bool, error) { return s.enter('[') }

func (s *Scanner) enter(bracket byte) (bool, error) {
	s.space()
	if s.pos >= len(s.text) {
		return false, s.ended("a value")
	}
	if s.text[s.pos] != bracket {
		return false, nil
	}
	return true, s.push(bracket == '{')
}

// NextMember goes to the next member of the entered object and returns its name, unescaped and valid until the next
// call; false when the object has ended and is left. The member's value is to be read next.
func (s *Scanner) NextMember() (name []byte, ok bool, err error) {
	if ok, err = s.next(); !ok || err != nil {
		return nil, false, err
	}
	return s.nameOf(s.names[len(s.names)-1]), true, nil
}

// NextElement goes to the next element of the entered array; false when the array has ended and is left.
func (s *Scanner) NextElement() (ok bool, err error) { return s.next() }

func (s *Scanner) next() (bool, error) {
	if s.stack[len(s.stack)-1].count == 0 {
		done, err := s.firstIn()
		return !done, err
	}
	return s.nextIn()
}

// End fails unless only white space is left.
func (s *Scanner) End() error {
	s.space()
	if s.pos < len(s.text) {
		return s.unexpected("the end of the text")
	}
	return nil
}

// Check reads a whole text: exactly one value, nested at most depth levels. It returns nil or an *Error.
func Check(text []byte, depth int) error {
	var s Scanner
	s.Reset(text)
	if _, err := s.Value(depth); err != nil {
		return err
	}
	if err := s.End(); err != nil {
		return err
	}
	if s.fault != nil {
		return s.fault
	}
	return nil
}

// Kind names the kind of a value, given its bytes as Value returned them.
func Kind(value []byte) string {
	if len(value) == 0 {
		return "nothing"
	}
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}
