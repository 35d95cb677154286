package main

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// salvagedFile says, in a data directory that log salvage wrote, which records have lost their content: log verify takes
// those for told, and no others. It stands outside the log, whose chain is the original's.
const salvagedFile = "salvaged.json"

// lostContent is salvagedFile's content: seqs.
type lostContent struct {
	ContentLost []uint64 `json:"content_lost"`
}

func (d *dataDir) noteSalvaged(s *pebblelog.Salvaged) error {
	var lost lostContent
	for _, l := range s.Lost {
		for seq := l.First; l.Content && seq <= l.Last && seq <= s.Head.Seq; seq++ {
			lost.ContentLost = append(lost.ContentLost, uint64(seq))
		}
	}
	if len(lost.ContentLost) == 0 {
		return nil
	}
	text, err := json.Marshal(lost)
	if err != nil {
		return err
	}
	return writeNew(d.join(salvagedFile), string(text)+"\n")
}

// withSalvaged adds to what may be removed by rule what a salvage has lost.
func (d *dataDir) withSalvaged(allowed func(*eventlog.Record) uint16) (func(*eventlog.Record) uint16, error) {
	raw, err := os.ReadFile(d.join(salvagedFile))
	if errors.Is(err, os.ErrNotExist) {
		return allowed, nil
	}
	if err != nil {
		return nil, err
	}
	var lost lostContent
	if err := json.Unmarshal(raw, &lost); err != nil {
		return nil, err
	}
	told := make(map[eventlog.Seq]bool, len(lost.ContentLost))
	for _, seq := range lost.ContentLost {
		told[eventlog.Seq(seq)] = true
	}
	return func(r *eventlog.Record) uint16 {
		if told[r.Seq] {
			return ^uint16(0)
		}
		return allowed(r)
	}, nil
}
