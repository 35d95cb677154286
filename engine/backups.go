package engine

import "context"

// Backups makes backups of the running log. The implementation knows where to.
type Backups interface {
	// Start begins one. While one is under way, or without a place for them, the error is an *Error.
	Start() (Backup, error)
	// All lists them, newest first, the one under way or failed last included.
	All() ([]Backup, error)
	// RefreshKeyring takes keys that were destroyed out of all of them.
	RefreshKeyring() error
}

// Backup is one backup of the log.
type Backup struct {
	ID         string  `json:"id"`
	Status     string  `json:"status" enum:"running,done,failed"`
	StartedAt  Time    `json:"started_at"`
	FinishedAt *Time   `json:"finished_at"`
	HeadSeq    uint64  `json:"head_seq" doc:"the last record in it; 0 while it is not done"`
	Chain      string  `json:"chain" doc:"the log's chain there, hex"`
	Bytes      int64   `json:"bytes" doc:"of all its files; while it runs, of those looked at"`
	Added      int64   `json:"added_bytes" doc:"of the files that no backup before it had"`
	Error      *string `json:"error" doc:"why it failed"`
}

func (e *Engine) backups() (Backups, error) {
	if e.cfg.Backups == nil {
		return nil, &Error{Code: CodeConflict, Detail: "no place for backups is configured: start the server with --backup-dir DIR"}
	}
	return e.cfg.Backups, nil
}

// StartBackup begins a backup of the log: one at a time, and none while the disk is low.
func (e *Engine) StartBackup(context.Context) (Backup, error) {
	b, err := e.backups()
	if err != nil {
		return Backup{}, err
	}
	if e.low.Load() {
		return Backup{}, diskLow()
	}
	made, err := b.Start()
	return made, storeError(err)
}

// ListBackups lists backups, newest first.
func (e *Engine) ListBackups(context.Context) ([]Backup, error) {
	b, err := e.backups()
	if err != nil {
		return nil, err
	}
	all, err := b.All()
	return all, storeError(err)
}
