import Testing

@testable import Autoencoders
