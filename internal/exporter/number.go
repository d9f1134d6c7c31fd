package exporter

// literal passes true, false or null.
func (s *scanner) literal(word string) error {
	for i := range len(word) {
		if s.peek() != word[i] {
			return s.fail(notValue)
		}
		s.pos++
	}
	return nil
}

// number passes a number and returns it as it is spelled, valid until the next
// string or number.
func (s *scanner) number() ([]byte, error) {
	start := s.place()
	s.text = s.text[:0]
	s.take("-")
	if s.take("0") {
		if c := s.peek(); '0' <= c && c <= '9' {
			return nil, s.fail("a number with a needless zero in front")
		}
	} else if err := s.digits(start); err != nil {
		return nil, err
	}
	if s.take(".") {
		if err := s.digits(start); err != nil {
			return nil, err
		}
	}
	if s.take("eE") {
		s.take("+-")
		if err := s.digits(start); err != nil {
			return nil, err
		}
	}
	return s.text, nil
}

// take takes the next byte if it is one of some ASCII characters.
func (s *scanner) take(chars string) bool {
	c := s.peek()
	for i := range len(chars) {
		if chars[i] == c {
			s.text = append(s.text, c)
			s.pos++
			return true
		}
	}
	return false
}

// digits takes one digit of a number that started at start, or more.
func (s *scanner) digits(start Place) error {
	if !s.take("0123456789") {
		return s.fail("a number lacks a digit")
	}
	for s.take("0123456789") {
		if len(s.text) > maxValue {
			return s.failAt(start, tooLong)
		}
	}
	return nil
}
