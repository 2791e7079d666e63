/// What a measure's random numbers are for, so that no two uses share any.
enum MeasurePurpose: UInt32 {
  case heldOut = 0x7700_0101
  case fewLabels = 0x7700_0102
  case bootstrap = 0x7700_0103
  case clusters = 0x7700_0104
}
