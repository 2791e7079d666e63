/// The version that `--version` prints and that every stream's `made_by` carries.
public let pmaeVersion = "0.1.0"
