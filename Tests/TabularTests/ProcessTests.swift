import Core
import Testing

@testable import Tabular

@Suite struct MatrixTests {
  @Test func solutionsSolveTheSystem() throws {
    var random = Seed(1).stream("matrix")
    for size in 1...12 {
      let matrix = Matrix((0..<size).map { _ in (0..<size).map { _ in random.normal() } })
      let x = (0..<size).map { _ in random.normal() }
      let solved = try #require(matrix.solution(of: matrix * x))
      #expect(largestDifference(solved, x) < 1e-9)
    }
  }

  /// Without pivoting, the first step would divide by zero.
  @Test func zerosOnTheDiagonalArePivoted() {
    #expect(Matrix([[0, 1], [2, 0]]).solution(of: [3, 8]) == [4, 3])
  }

  @Test func singularMatricesHaveNoSolution() {
    #expect(Matrix([[1, 2], [2, 4]]).solution(of: [1, 2]) == nil)
    #expect(Matrix([[0]]).solution(of: [1]) == nil)
  }
}

@Suite struct ChainTests {
  @Test func marginalsConvergeToTheStationaryDistribution() throws {
    let chain = try MarkovChain(transitions: [[0.5, 0.5, 0], [0.1, 0.2, 0.7], [0.6, 0, 0.4]])
    let mu = try chain.stationaryDistribution()
    #expect(abs(mu.reduce(0, +) - 1) < 1e-12)
    #expect(largestDifference(chain.step(mu), mu) < 1e-12)
    for start in [[1.0, 0, 0], [0, 0, 1]] {
      #expect(largestDifference(chain.marginal(after: 200, from: start), mu) < 1e-10)
    }
  }

  @Test func knownStationaryDistribution() throws {
    // With the probabilities p of leaving and q of returning, μ = (q, p) / (p + q).
    let mu = try MarkovChain(transitions: [[0.7, 0.3], [0.1, 0.9]]).stationaryDistribution()
    #expect(largestDifference(mu, [0.25, 0.75]) < 1e-12)
  }

  @Test func periodsAreComputed() throws {
    func ring(_ n: Int) -> [[Double]] { (0..<n).map { s in (0..<n).map { $0 == (s + 1) % n ? 1 : 0 } } }
    for n in 1...5 { #expect(try MarkovChain(transitions: ring(n)).period == n) }
    // Cycles of 4 and 6 steps meet in state 0: gcd 2. With another cycle of 3 steps, it is 1.
    var rows = ring(6)
    rows[3] = [0.5, 0, 0, 0, 0.5, 0]
    #expect(try MarkovChain(transitions: rows).period == 2)
    rows[2] = [0.5, 0, 0, 0.5, 0, 0]
    #expect(try MarkovChain(transitions: rows).period == 1)
  }

  @Test func theErrorSaysWhyAChainIsNotErgodic() throws {
    let absorbing = try MarkovChain(transitions: [[0.5, 0.5], [0, 1]])
    #expect(!absorbing.isIrreducible && absorbing.period == nil)
    let reducibleError = #expect(throws: InputError.self) { try absorbing.stationaryDistribution() }
    #expect(reducibleError?.description.contains("no path from state 1 to state 0") == true)
    let alternating = try MarkovChain(transitions: [[0, 1], [1, 0]])
    let periodicError = #expect(throws: InputError.self) { try alternating.stationaryDistribution() }
    #expect(periodicError?.description.contains("multiple of 2 steps") == true)
  }

  @Test func sampledPathsFollowTheStationaryDistribution() throws {
    let chain = try MarkovChain(transitions: [[0.7, 0.3], [0.1, 0.9]])
    var random = Seed(3).stream("path")
    let path = chain.path(from: 0, steps: 40_000, using: &random)
    let share = Double(path.filter { $0 == 0 }.count) / Double(path.count)
    // The second eigenvalue is 0.6: the deviation of the mean is √(μ(1−μ)·(1+0.6)/(1−0.6)/40000) = 0.0043, times 4.
    #expect(abs(share - 0.25) < 0.018)
  }

  @Test(arguments: [
    ([[0.5, 0.6], [0, 1]], "add up to 1"), ([[1.5, -0.5], [0, 1]], "from 0 to 1"),
    ([[.nan, 1], [0, 1]], "from 0 to 1"),
    ([[1], [0, 1]], "2 numbers"), ([], "at least one state"),
  ])
  func invalidTransitionsAreRejected(_ rows: [[Double]], _ message: String) {
    let error = #expect(throws: InputError.self) { try MarkovChain(transitions: rows) }
    #expect(error?.description.contains(message) == true)
  }
}

@Suite struct DecisionProcessTests {
  let uniform = [[0.5, 0.5], [0.5, 0.5]]

  @Test func pairMarginalsMatchThePairChain() throws {
    let process = try Problems.twoState().process
    let policy = [[0.3, 0.7], [0.9, 0.1]]
    let marginals = try process.stateActionMarginals(under: policy, horizon: 6)
    let chain = try process.stateActionChain(under: policy)
    let start = marginals[0].flatMap { $0 }
    for t in 0..<6 {
      #expect(largestDifference(chain.marginal(after: t, from: start), marginals[t].flatMap { $0 }) < 1e-12)
    }
  }

  /// (1.3) equals (1.4): the return is the sum of the marginals' rewards. The values give the same return.
  @Test func theReturnIsTheSumOverMarginals() throws {
    for problem in try Problems.all.map({ try $0() }) {
      var random = Seed(2).stream(problem.id)
      let policy = SoftmaxPolicy(for: problem.process, using: &random).probabilities
      let marginals = try problem.process.stateActionMarginals(under: policy, horizon: 8)
      var total = 0.0
      for (power, p) in zip(problem.process.discounts(8), marginals) {
        total += power * dot(p.flatMap { $0 }, problem.process.rewards.flatMap { $0 })
      }
      #expect(abs(total - problem.process.expectedReturn(of: policy, horizon: 8)) < 1e-9)
    }
  }

  @Test func valuesSolveBellmansEquations() throws {
    for problem in try Problems.all.map({ try $0() }) {
      let process = problem.process
      var random = Seed(2).stream(problem.id)
      let policy = SoftmaxPolicy(for: process, using: &random).probabilities
      let values = try process.values(of: policy)
      for s in 0..<process.stateCount {
        #expect(abs(dot(policy[s], values.q[s]) - values.v[s]) < 1e-9)  // (1.74)
        #expect(abs(dot(policy[s], values.advantages[s])) < 1e-9)
      }
      // With a long horizon, the difference is of the order of γᵀ.
      let far = process.values(of: policy, horizon: 1200)[0].v
      #expect(largestDifference(far, values.v) < 1e-8 * (1 + (values.v.map(abs).max() ?? 0)))
    }
  }

  /// d·r = start·V computes the same return in two ways. As γ goes to 1, the average reward is (1 − γ) times the
  /// return.
  @Test func returnsAgree() throws {
    let process = try Problems.gridworld().process
    let policy = Array(repeating: [0.2, 0.3, 0.4, 0.1], count: 16)
    let visits = try process.discountedVisits(under: policy)
    #expect(abs(visits.reduce(0, +) - 1 / (1 - process.discount)) < 1e-9)
    #expect(
      abs(dot(visits, process.expectedRewards(under: policy)) - (try process.discountedReturn(of: policy))) < 1e-10)
    let patient = try process.discounted(by: 0.999_999)
    let average = try process.averageReward(of: policy)
    #expect(abs((1 - 0.999_999) * (try patient.discountedReturn(of: policy)) - average) < 1e-5)
  }

  @Test func aNonergodicPolicyHasNoAverageReward() throws {
    // Always going up from the start corner never reaches the cells below.
    let process = try Problems.gridworld().process
    let up = process.table(of: Array(repeating: 0, count: 16))
    #expect(throws: InputError.self) { try process.averageReward(of: up) }
  }

  @Test func aDiscountOfOneNeedsAHorizon() throws {
    let process = try Problems.twoState().process.discounted(by: 1)
    #expect(throws: InputError.self) { try process.values(of: uniform) }
    #expect(throws: InputError.self) { try process.discountedVisits(under: uniform) }
    #expect(throws: InputError.self) { try process.valueIteration() }
    #expect(process.values(of: uniform, horizon: 3).count == 3)
  }

  @Test func sampledReturnsHaveTheExactMean() throws {
    let process = try Problems.chain().process
    let policy = Array(repeating: [0.7, 0.3], count: 5)
    var random = Seed(5).stream("returns")
    let returns = (0..<4000).map { _ in
      dot(process.discounts(10), process.trajectory(of: policy, horizon: 10, using: &random).rewards)
    }
    let mean = returns.reduce(0, +) / 4000
    let variance = returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3999
    #expect(abs(mean - process.expectedReturn(of: policy, horizon: 10)) < 4 * (variance / 4000).squareRoot())
  }
}

@Suite struct BeliefTests {
  /// The textbook results: 0.85 after one observation, 0.85² / (0.85² + 0.15²) after two equal ones, 0.5 after two
  /// different ones.
  @Test func theTigersBelief() throws {
    let tiger = try #require(try Problems.tiger().observed)
    func left(_ belief: [Double]?) -> Double { belief.map { $0[0] + $0[1] } ?? .nan }
    let start = try #require(tiger.belief(after: 0))
    #expect(abs(left(start) - 0.5) < 1e-12)  // before listening
    let once = try #require(tiger.belief(start, after: 0, observing: 0))
    #expect(abs(left(once) - 0.85) < 1e-12)
    let twice = tiger.belief(once, after: 0, observing: 0)
    #expect(abs(left(twice) - 0.7225 / (0.7225 + 0.0225)) < 1e-12)
    #expect(abs(left(tiger.belief(once, after: 0, observing: 1)) - 0.5) < 1e-12)
    #expect(abs(left(tiger.belief(once, after: 1, observing: 1)) - 0.5) < 1e-12)  // an opened door: a new game
  }

  /// The beliefs equal the conditional probabilities, computed by summing over all outcomes.
  @Test func theFilterIsBayesRule() throws {
    let tiger = try #require(try Problems.tiger().observed)
    let process = tiger.process
    let actions = [0, 0]
    // p(s₁, o₁, s₂, o₂, s₃, o₃), summed explicitly for o = (0, 0, 1)
    var joint = Array(repeating: 0.0, count: 4)
    for s1 in 0..<4 {
      for s2 in 0..<4 {
        for s3 in 0..<4 {
          joint[s3] +=
            process.start[s1] * tiger.emissions[s1][0] * process.transitions[s1][actions[0]][s2]
            * tiger.emissions[s2][0] * process.transitions[s2][actions[1]][s3] * tiger.emissions[s3][1]
        }
      }
    }
    let total = joint.reduce(0, +)
    let first = try #require(tiger.belief(after: 0))
    let second = try #require(tiger.belief(first, after: 0, observing: 0))
    let third = try #require(tiger.belief(second, after: 0, observing: 1))
    #expect(largestDifference(third, joint.map { $0 / total }) < 1e-12)
    let expected =
      tiger.observationProbabilities(first, after: 0)[0] * tiger.observationProbabilities(second, after: 0)[1] * 0.5
    #expect(abs(expected - total) < 1e-12)
  }

  @Test func impossibleObservationsHaveNoBelief() throws {
    let process = try Problems.twoState().process
    let observed = try PartiallyObservedProcess(process: process, emissions: [[1, 0], [1, 0]])
    #expect(observed.belief(after: 1) == nil)
    #expect(observed.belief(after: 0) == process.start)
  }
}
