#if OneDNN
  import CDNNL
#endif

/// The version of oneDNN in use; nil if the portable kernels are used.
public var oneDNNVersion: String? {
  #if OneDNN
    guard let version = unsafe dnnl_version()?.pointee else { return nil }
    return unsafe "\(version.major).\(version.minor).\(version.patch)"
  #else
    return nil
  #endif
}
