package object

import "maps"

// Overlay merges values as Helm does: maps key by key, everything else as a whole.
func Overlay(below, above map[string]any) map[string]any {
	merged := map[string]any{}
	maps.Copy(merged, below)
	for key, value := range above {
		over, isMap := value.(map[string]any)
		under, wasMap := below[key].(map[string]any)
		if isMap && wasMap {
			value = Overlay(under, over)
		}
		merged[key] = value
	}
	return merged
}
