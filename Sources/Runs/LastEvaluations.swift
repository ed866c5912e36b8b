/// The evaluations at a run's end whose mean is its return: the last three, or as many as there are.
public enum LastEvaluations {
  public static let most = 3

  /// `mean of the last three evaluations`
  ///
  /// - Parameter count: evaluations of the run.
  public static func note(of count: Int) -> String {
    switch count {
    case ...0: "no evaluation"
    case 1: "the only evaluation"
    case 2: "mean of both evaluations"
    case most: "mean of all three evaluations"
    default: "mean of the last three evaluations"
    }
  }
}
