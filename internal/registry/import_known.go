package registry

// merge returns what becomes of a known tenant when a file says file of it: the
// file's values, but for a mask, which never replaces a real value, and for the
// optional members that the file lacks, which stay unless exact.
func merge(known, file Tenant, exact bool) (Tenant, Step) {
	merged, step := file, Step{Action: Update, ID: known.ID, Name: file.Name}
	for _, m := range RecordMembers {
		if m.isSame(&known, &file) {
			continue
		}
		switch {
		case m.masks(&known, &file):
			step.Masked = append(step.Masked, m.Name)
			m.take(&merged, &known)
		case !m.has(&file) && !exact:
			step.Kept = append(step.Kept, m.Name)
			m.take(&merged, &known)
		default:
			step.Changed = append(step.Changed, m.Name)
		}
	}
	if !exact {
		for name := range known.Unknown.all {
			if _, ok := file.Unknown.value(name); !ok {
				step.Kept = append(step.Kept, name)
			}
		}
		merged.Unknown = known.Unknown.with(file.Unknown)
	}
	step.Changed = append(step.Changed, known.Unknown.differing(merged.Unknown)...)
	return merged, step
}
